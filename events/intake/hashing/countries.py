"""What countries are called."""

from __future__ import annotations

import json
import re
from pathlib import Path

from events.intake.hashing.text import words

#: Without these, names of many countries are the same: "The Bahamas", "Antigua & Barbuda".
_DROPPED = frozenset({"the", "and"})
#: Names that Babel has not: former, formal and short ones.
_ALSO = {
    "ae": "UAE|Emirates",
    "ar": "Argentine Republic",
    "ba": "Bosnia",
    "bl": "St Barts|St Barths",
    "bn": "Brunei Darussalam",
    "bo": "Bolivia, Plurinational State of",
    "bq": "Bonaire|Bonaire, Sint Eustatius and Saba",
    "cc": "Cocos Islands|Keeling Islands",
    "cd": "DRC|DR Congo|Congo DR|Congo DRC|Zaire|Democratic Republic of the Congo"
    "|Congo, the Democratic Republic of the",
    "cg": "Congo|Congo Republic|Republic of the Congo|Congo, Republic of the",
    "ch": "Swiss Confederation",
    "ci": "Ivory Coast",
    "cn": "PRC|People's Republic of China|Mainland China|China, People's Republic of",
    "cv": "Cabo Verde",
    "cz": "Czech Republic",
    "fk": "Falklands|Islas Malvinas|Falkland Islands (Malvinas)",
    "fm": "Micronesia, Federated States of",
    "fr": "French Republic",
    "ga": "Gabonese Republic",
    "gb": "UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland"
    "|United Kingdom of Great Britain and Northern Ireland",
    "gr": "EL|Hellas|Hellenic Republic",
    "gs": "South Georgia and the South Sandwich Islands",
    "hk": "Hong Kong|China (Hong Kong)|Hong Kong, China|Hong Kong SAR|Hong Kong Special Administrative Region of China",
    "hm": "Heard Island and McDonald Islands",
    "ir": "Iran, Islamic Republic of",
    "it": "Italian Republic",
    "kg": "Kyrgyz Republic",
    "kp": "DPRK|Democratic People's Republic of Korea|Korea, Democratic People's Republic of|Korea, North",
    "kr": "Korea|Republic of Korea|Korea, Republic of|Korea, South",
    "la": "Lao People's Democratic Republic",
    "lb": "Lebanese Republic",
    "ly": "Libyan Arab Jamahiriya",
    "md": "Moldova, Republic of",
    "mf": "Saint Martin (French part)",
    "mk": "Macedonia|FYROM|FYR Macedonia|Macedonia, the Former Yugoslav Republic of",
    "mm": "Myanmar|Burma",
    "mo": "Macao|Macau|China (Macau)|China (Macao)|Macau, China|Macao, China|Macau SAR"
    "|Macao Special Administrative Region of China",
    "mx": "United Mexican States",
    "nl": "Holland",
    "pn": "Pitcairn",
    "ps": "Palestine|State of Palestine|Occupied Palestinian Territory|Palestine, State of",
    "pt": "Portuguese Republic",
    "ru": "Russian Federation",
    "rw": "Rwandese Republic",
    "sa": "KSA|Saudi",
    "sh": "Saint Helena, Ascension and Tristan da Cunha",
    "sk": "Slovak Republic",
    "sx": "Sint Maarten (Dutch part)",
    "sy": "Syrian Arab Republic",
    "sz": "Swaziland",
    "tg": "Togolese Republic",
    "tl": "East Timor",
    "tr": "Turkey",
    "tw": "Republic of China|Taiwan, Province of China|Taiwan ROC|China (Taiwan)|Taiwan, China",
    "tz": "Tanzania, United Republic of",
    "um": "United States Minor Outlying Islands|US Minor Outlying Islands",
    "us": "United States of America|America",
    "va": "Vatican|Holy See|Vatican City State|Holy See (Vatican City State)",
    "vc": "Saint Vincent and the Grenadines",
    "ve": "Venezuela, Bolivarian Republic of",
    "vg": "Virgin Islands, British|Virgin Islands (UK)",
    "vi": "Virgin Islands, U.S.|Virgin Islands (US)|United States Virgin Islands|Virgin Islands of the United States",
    "vn": "Viet Nam",
}
#: What countries call themselves, beside the name that Babel has.
_OWN_NAMES = {
    "ae": "الإمارات|دولة الإمارات العربية المتحدة",
    "am": "Հայաստանի Հանրապետություն",
    "ar": "República Argentina",
    "at": "Republik Österreich",
    "be": "Koninkrijk België|Royaume de Belgique",
    "bg": "Република България",
    "bh": "مملكة البحرين",
    "br": "República Federativa do Brasil",
    "by": "Республика Беларусь|Рэспубліка Беларусь|Белоруссия",
    "cd": "RDC|République démocratique du Congo",
    "cg": "République du Congo",
    "ch": "Schweizerische Eidgenossenschaft|Confédération suisse|Confederazione Svizzera",
    "ci": "République de Côte d'Ivoire",
    "cn": "中华人民共和国|中華人民共和國|中国大陆|中國大陸|Zhongguo",
    "cz": "Česká republika",
    "de": "Bundesrepublik Deutschland|BRD",
    "dk": "Kongeriget Danmark",
    "dz": "الجمهورية الجزائرية",
    "eg": "جمهورية مصر العربية",
    "es": "Reino de España",
    "fi": "Suomen tasavalta",
    "fr": "République française",
    "gr": "Ελληνική Δημοκρατία|Ελλάς|Ellada",
    "hk": "香港|香港特別行政區|香港特别行政区",
    "ie": "Poblacht na hÉireann",
    "il": "מדינת ישראל",
    "in": "Bharat|भारत गणराज्य",
    "id": "Republik Indonesia",
    "iq": "جمهورية العراق",
    "ir": "جمهوری اسلامی ایران",
    "it": "Repubblica Italiana",
    "jo": "المملكة الأردنية الهاشمية",
    "jp": "日本国|日本國|にほん|にっぽん|ニッポン|Nippon|Nihon",
    "kp": "북한|조선",
    "kr": "한국|남한",
    "kw": "دولة الكويت",
    "kz": "Республика Казахстан|Қазақстан Республикасы",
    "lb": "الجمهورية اللبنانية",
    "ma": "المملكة المغربية",
    "mk": "Македонија",
    "mn": "Монгол Улс",
    "mo": "澳門|澳门|澳門特別行政區|澳门特别行政区",
    "mx": "Estados Unidos Mexicanos|República Mexicana",
    "nl": "Koninkrijk der Nederlanden",
    "no": "Kongeriket Norge",
    "om": "سلطنة عمان",
    "pk": "اسلامی جمہوریہ پاکستان",
    "pl": "Rzeczpospolita Polska",
    "ps": "فلسطين|دولة فلسطين",
    "pt": "República Portuguesa",
    "qa": "دولة قطر",
    "rs": "Република Србија|Republika Srbija",
    "ru": "Российская Федерация|РФ|Rossiya",
    "sa": "السعودية|المملكة السعودية",
    "se": "Konungariket Sverige",
    "sg": "新加坡共和国|Republik Singapura",
    "sk": "Slovenská republika",
    "sy": "سورية|الجمهورية العربية السورية",
    "th": "ประเทศไทย|ราชอาณาจักรไทย|เมืองไทย",
    "tn": "الجمهورية التونسية",
    "tr": "Türkiye Cumhuriyeti",
    "tw": "臺灣|中華民國|中华民国|中國臺灣|中国台湾",
    "us": "EEUU|EE. UU.",
    "vn": "Cộng hòa xã hội chủ nghĩa Việt Nam",
    "ye": "الجمهورية اليمنية",
}
#: What a country's name is dressed in: "Republic of …", "…, Province of China".
_FORMAL_WORDS = """
    republic kingdom state states principality commonwealth sultanate grand duchy federation union nation province part
    of federal federated federative united democratic people peoples s islamic arab socialist plurinational bolivarian
    oriental hashemite independent sovereign co operative cooperative former yugoslav eastern french dutch malvinas
    china
"""
_FORMAL = frozenset(_FORMAL_WORDS.split())
#: Dressed up, these are others: the Republic of Korea, the State of Georgia.
_SHARED = frozenset({"korea", "congo", "china", "georgia"})
_with_more = re.compile(r"([^,(]+)[,(](.+)").fullmatch


def key(name: str) -> str:
    """A name's letters, without accents: what spellings of it have in common."""
    return _joined(name, _DROPPED)


def keys(name: str) -> set[str]:
    """What a name is looked up by. Some senders have taken the spaces out already; then all of its words are there."""
    return {key(name), _joined(name.replace("&", " and "), frozenset())}


def _joined(name: str, dropped: frozenset[str]) -> str:
    return "".join("saint" if word == "st" else word for word in words(name.lower()) if word not in dropped)


_NAMES: dict[str, str] = json.loads(Path(__file__).with_name("countries.json").read_text("utf-8")) | {
    key: code
    for code, names in (*_ALSO.items(), *_OWN_NAMES.items())
    for name in names.split("|")
    for key in keys(name)
}
_CODES = frozenset(_NAMES.values())


def is_code(text: str) -> bool:
    """Are these the two letters of a country?"""
    return text in _CODES


def find(text: str) -> str:
    """The two letters of the country that is called so; empty where there is none, or more than one."""
    return _NAMES.get(text) or _NAMES.get(key(text)) or _with_qualifier(text) or _formal(text)


def _with_qualifier(text: str) -> str:
    """Of "United States (US)", "Bolivia, Plurinational State of", "Netherlands (the)"."""
    found = _with_more(text)
    if not found:
        return ""
    name, qualifier = key(found[1]), found[2]
    code = _NAMES.get(name, "")
    same = _NAMES.get(key(qualifier)) == code
    return code if same or (name not in _SHARED and _are_formal(words(qualifier))) else ""


def _formal(text: str) -> str:
    """Of "Islamic Republic of Iran"."""
    before, of, name = text.rpartition(" of ")
    if not of or key(name) in _SHARED or not _are_formal(words(before)):
        return ""
    return _NAMES.get(key(name), "")


def _are_formal(some: list[str]) -> bool:
    return _FORMAL.union(_DROPPED).issuperset(some)
