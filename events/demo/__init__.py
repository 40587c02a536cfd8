"""What ``manage.py demo`` fills an instance with: three accounts, ten pixels and a week of traffic, all made up."""
