"""The states of the USA and the provinces of Canada, by name: what they are called, without spaces and accents."""

from __future__ import annotations

#: The two letters, the name, and what else it is called.
_NAMES = """
    al alabama ala
    ak alaska
    az arizona ariz
    ar arkansas ark
    ca california calif cal
    co colorado colo
    ct connecticut conn
    de delaware del
    dc districtofcolumbia washingtondc washingtondistrictofcolumbia
    fl florida fla
    ga georgia
    hi hawaii
    id idaho
    il illinois ill
    in indiana ind
    ia iowa
    ks kansas kan kans
    ky kentucky
    la louisiana
    me maine
    md maryland
    ma massachusetts mass
    mi michigan mich
    mn minnesota minn
    ms mississippi miss
    mo missouri
    mt montana mont
    ne nebraska neb nebr
    nv nevada nev
    nh newhampshire
    nj newjersey
    nm newmexico nmex
    ny newyork
    nc northcarolina ncarolina ncar
    nd northdakota ndakota ndak
    oh ohio
    ok oklahoma okla
    or oregon ore oreg
    pa pennsylvania penn penna
    ri rhodeisland
    sc southcarolina scarolina scar
    sd southdakota sdakota sdak
    tn tennessee tenn
    tx texas tex
    ut utah
    vt vermont
    va virginia virg
    wa washington wash
    wv westvirginia wvirginia wva
    wi wisconsin wis wisc
    wy wyoming wyo
    as americansamoa
    gu guam
    mp northernmarianaislands
    pr puertorico
    um unitedstatesminoroutlyingislands usminoroutlyingislands
    vi usvirginislands virginislands virginislandsus unitedstatesvirginislands
    ab alberta alta
    bc britishcolumbia colombiebritannique
    mb manitoba man
    nb newbrunswick nouveaubrunswick
    nl newfoundlandandlabrador newfoundlandlabrador newfoundland labrador terreneuveetlabrador terreneuve nfld
    ns novascotia nouvelleecosse
    nt northwestterritories territoiresdunordouest nwt
    nu nunavut
    on ontario ont
    pe princeedwardisland ileduprinceedouard pei
    qc quebec que
    sk saskatchewan sask
    yt yukon yukonterritory
"""
STATES: dict[str, str] = {name: code for code, *names in map(str.split, _NAMES.strip().splitlines()) for name in names}
CODES = frozenset(STATES.values())
