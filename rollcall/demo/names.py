"""Made-up people from many countries: ids in Latin letters, names in their own script."""

# ruff: noqa: RUF001 - letters that look like Latin ones are intended

from collections.abc import Iterator
from itertools import count
from random import Random

# Order of the names, given names, family names; each in its own script and in Latin letters.
_COUNTRIES = [
    (
        "family first",
        "結衣:yui 蓮:ren 葵:aoi 湊:minato 凛:rin 樹:itsuki さくら:sakura",
        "佐藤:sato 鈴木:suzuki 高橋:takahashi 田中:tanaka 渡辺:watanabe",
    ),
    (
        "family first",
        "伟:wei 芳:fang 子涵:zihan 敏:min 静:jing 浩宇:haoyu 梓萱:zixuan",
        "王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang",
    ),
    (
        "family first",
        "서연:seoyeon 민준:minjun 지우:jiwoo 하은:haeun 도윤:doyun",
        "김:kim 이:lee 박:park 최:choi 정:jung",
    ),
    (
        "given first",
        "अनन्या:ananya आरव:aarav प्रिया:priya रोहन:rohan ईशा:isha विवान:vivaan",
        "शर्मा:sharma पटेल:patel सिंह:singh गुप्ता:gupta नायर:nair",
    ),
    (
        "given first",
        "ليلى:layla عمر:omar نور:noor يوسف:yusuf سلمى:salma كريم:karim",
        "حداد:haddad منصور:mansour الخطيب:alkhatib سالم:salem",
    ),
    (
        "given first",
        "Олена:olena Тарас:taras Софія:sofiia Богдан:bohdan Ірина:iryna",
        "Шевченко:shevchenko Коваль:koval Бондаренко:bondarenko Мельник:melnyk",
    ),
    (
        "given first",
        "Ελένη:eleni Νίκος:nikos Μαρία:maria Γιώργος:giorgos",
        "Παπαδόπουλος:papadopoulos Νικολάου:nikolaou Δήμου:dimou",
    ),
    (
        "given first",
        "Amara:amara Chidi:chidi Folake:folake Tunde:tunde Ngozi:ngozi Emeka:emeka",
        "Okafor:okafor Adeyemi:adeyemi Eze:eze Balogun:balogun Nwosu:nwosu",
    ),
    (
        "given first",
        "João:joao Letícia:leticia Thiago:thiago Beatriz:beatriz Caio:caio Luísa:luisa",
        "Silva:silva Araújo:araujo Conceição:conceicao Gonçalves:goncalves",
    ),
    (
        "given first",
        "Ximena:ximena José:jose Renata:renata Andrés:andres Lucía:lucia Iván:ivan",
        "Hernández:hernandez Muñoz:munoz García:garcia Peña:pena",
    ),
    (
        "given first",
        "Åse:aase Øyvind:oyvind Björn:bjorn Linnéa:linnea Søren:soren Aino:aino",
        "Lindström:lindstrom Åkesson:akesson Sørensen:sorensen Mäkinen:makinen",
    ),
    (
        "family first",
        "Linh:linh Minh:minh Thảo:thao Dũng:dung Hương:huong Khôi:khoi",
        "Nguyễn:nguyen Trần:tran Lê:le Phạm:pham Đặng:dang",
    ),
    (
        "given first",
        "Zofia:zofia Łukasz:lukasz Małgorzata:malgorzata Paweł:pawel Agnieszka:agnieszka",
        "Nowak:nowak Zając:zajac Król:krol Wróbel:wrobel",
    ),
    (
        "given first",
        "Jürgen:juergen Käthe:kaethe Lukas:lukas Mia:mia Jörg:joerg Anneliese:anneliese",
        "Müller:mueller Weiß:weiss Schäfer:schaefer Krüger:krueger",
    ),
    (
        "given first",
        "Çağla:cagla Emre:emre Şebnem:sebnem Ömer:omer Gül:gul Yiğit:yigit",
        "Yılmaz:yilmaz Öztürk:ozturk Çelik:celik Şahin:sahin",
    ),
]


def unique_names(random: Random) -> Iterator[tuple[str, str]]:
    """(user_id, name) of an endless number of people, each with another id."""
    taken: set[str] = set()
    while True:
        latin, name = random_name(random)
        user_id = latin
        if latin in taken:
            user_id = next(f"{latin}{n}" for n in count(2) if f"{latin}{n}" not in taken)
        taken.add(user_id)
        yield user_id, name


def random_name(random: Random) -> tuple[str, str]:
    """A random name, in Latin letters and in its own script."""
    return random.choice(random.choice(_PEOPLE))


def _people(order: str, given_names: str, family_names: str) -> list[tuple[str, str]]:
    """Everybody of a country, as `random_name` returns them."""
    return [
        (
            f"{latin_given}.{latin_family}",
            f"{family} {given}" if order == "family first" else f"{given} {family}",
        )
        for given, latin_given in (name.split(":") for name in given_names.split())
        for family, latin_family in (name.split(":") for name in family_names.split())
    ]


# Composed once: a million names are drawn when an installation is filled.
_PEOPLE = [_people(*country) for country in _COUNTRIES]
