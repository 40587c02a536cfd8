"""What ``manage.py demo`` makes: three accounts, ten pixels, a pipeline and a week of traffic, all made up."""
