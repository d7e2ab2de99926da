"""Bytes of a feed → text, whatever the publisher declared. One bad byte costs one character, never the document.

A declaration is believed as far as the bytes bear it out: bytes that are UTF-8 are UTF-8 whatever they are called; else
each declared encoding, and the few that undeclared feeds use, are scored on how ordinary a text they give.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# The only codecs that are ever used, each with its labels (WHATWG Encoding, section 4.2, and what feeds write besides)
# in lower case without punctuation. GB and Latin labels stand for the largest set that contains them.
_CODECS = {
    "utf-8": "utf8 unicode11utf8 unicode20utf8 xunicode20utf8 utf8mb4 utf8sig utf8bom",
    "gb18030": "gb18030 gb180302000 gbk xgbk gb2312 gb231280 gb23121980 csgb2312 csiso58gb231280 isoir58 chinese cngb "
    "cp936 ms936 windows936 936 euccn eucgb2312cn xeuccn",
    "hz": "hzgb2312 hz",
    "big5hkscs": "big5 big5hkscs big5hkscs2004 big5hk cnbig5 csbig5 xxbig5 xbig5 big5eten big5e big5tw cp950 ms950 "
    "windows950 950 big52003",
    "windows-1252": "windows1252 cp1252 xcp1252 iso88591 iso885911987 isoir100 latin1 l1 csisolatin1 ibm819 cp819 "
    "usascii ascii ansix341968 iso646us us",
    "cp932": "shiftjis sjis xsjis csshiftjis windows31j mskanji ms932 cp932",
    "euc_jp": "eucjp xeucjp cseucpkdfmtjapanese ujis",
    "iso2022_jp": "iso2022jp csiso2022jp",
    "cp949": "euckr cseuckr ksc56011987 ksc56011989 ksc5601 korean isoir149 windows949 cp949 ms949 uhc",
    "windows-1250": "windows1250 cp1250 xcp1250",
    "windows-1251": "windows1251 cp1251 xcp1251",
    "windows-1253": "windows1253 cp1253 xcp1253",
    "windows-1254": "windows1254 cp1254 xcp1254 iso88599 latin5 l5 csisolatin5",
    "windows-1255": "windows1255 cp1255 xcp1255",
    "windows-1256": "windows1256 cp1256 xcp1256",
    "windows-1257": "windows1257 cp1257 xcp1257",
    "windows-1258": "windows1258 cp1258 xcp1258",
    "cp874": "windows874 tis620 iso885911 dos874",
    "cp866": "ibm866 866 cp866 csibm866",
    "iso8859-2": "iso88592 latin2 l2 csisolatin2",
    "iso8859-3": "iso88593 latin3 l3 csisolatin3",
    "iso8859-4": "iso88594 latin4 l4 csisolatin4",
    "iso8859-5": "iso88595 cyrillic csisolatincyrillic",
    "iso8859-6": "iso88596 arabic csisolatinarabic",
    "iso8859-7": "iso88597 greek greek8 csisolatingreek",
    "iso8859-8": "iso88598 iso88598i iso88598e hebrew csisolatinhebrew",
    "iso8859-10": "iso885910 latin6 l6 csisolatin6",
    "iso8859-13": "iso885913",
    "iso8859-14": "iso885914",
    "iso8859-15": "iso885915 latin9 l9 csisolatin9",
    "iso8859-16": "iso885916",
    "koi8-r": "koi8r koi8 koi cskoi8r",
    "koi8-u": "koi8u koi8ru",
    "mac-roman": "macintosh mac xmacroman macroman csmacintosh",
    "mac-cyrillic": "xmaccyrillic xmacukrainian",
}
_LABELS = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}

# What an undeclared body is tried as, the likeliest first.
_UNDECLARED = ("gb18030", "big5hkscs", "windows-1252", "cp932", "euc_jp", "cp949")
# What is written in ASCII, so that only its label tells it, and what begins its other characters.
_SHIFTED = {"iso2022_jp": b"\x1b", "hz": b"~{"}
# What is written in several bytes, and the bytes that are never one of them: where one stands between the bytes of a
# character it was put in, and the character is what it would be without.
_STRAY = {
    "gb18030": b"\xff",
    "big5hkscs": bytes((*range(0x80, 0x87), 0xFF)),
    "cp950": b"\x80\xff",
    "cp932": b"\xfd\xfe\xff",
    "euc_jp": bytes((*range(0x80, 0x8E), *range(0x90, 0xA1), 0xFF)),
    "cp949": b"\x80\xff",
}

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# XML 1.0, appendix F.1, and a JSON document in the same encodings: what the first significant character looks like.
# In UTF-16 the next one says so too (after one damaged byte at most): a stray zero byte makes no document wide.
_WIDE = (
    (re.compile(rb"(?:[ \t\r\n]\0\0\0){0,64}[<{]\0\0\0"), "utf-32-le"),
    (re.compile(rb"(?:\0\0\0[ \t\r\n]){0,64}\0\0\0[<{]"), "utf-32-be"),
    (re.compile(rb"(?:[ \t\r\n]\0){0,64}[<{]\0(?=.?[\t\n\r -~]\0)", re.DOTALL), "utf-16-le"),
    (re.compile(rb"(?:\0[ \t\r\n]){0,64}\0[<{](?=.?\0[\t\n\r -~])", re.DOTALL), "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml\s[^>]{0,500}?encoding\s*=\s*[\"']?\s*([A-Za-z0-9._:() -]{1,40}?)\s*[\"'?>]")
_DECLARATION = re.compile(r"[\ufeff\s]*<\?xml\s[^<>]*>")

# No byte below 0x40 but a digit is ever the second byte of a character in the encodings above: each stretch between
# such bytes can be read by itself.
_STRETCH = re.compile(rb"[^\x00-\x2f\x3a-\x3f]*[\x80-\xff][^\x00-\x2f\x3a-\x3f]*")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# A character beyond the first plane as two surrogates, each in UTF-8, as Java and old databases write it (CESU-8).
_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_HIGH = bytes(range(0x80, 0x100))

_FOREIGN = 4  # characters of a stretch, at least, that tell that it is in another encoding than its document
_SAMPLE = 1_000  # bytes of stretches that are scored; a title's worth already tells
_CERTAIN = 0.75  # a score that needs no comparing
_BORNE_OUT = 0.6  # the same for a declared encoding: all characters are common ones
_REPAIRED = 100_000  # bytes of damaged stretches that are realigned in one body (0.3 s); the rest is read as it comes
_DAMAGE = 4.0  # what a character that is given up costs beside a rare one (1) and a frequent one (0)
_LETTER = 0.6  # what an ASCII one costs among damage: as often it is the second byte of a character
_LABEL_BONUS = 0.25  # what a declaration is worth beside the score of a text, which is 0.6 to 1 when it is right

# The characters that make up about half of any running text.
_HAN = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好"
    "都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把"
    "法此实回二理美点月明其种声全工己话者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西"
    "再平真听世气信北少关并内加化由却代军产入先山五太水万市见报将据网科技公司品数元全这個來國們為說時會學對後過"
    "裡還發沒於從動兩長現將與進實點種聲話問機給幾業間電門東開關並內產萬報據網無頭經當樣應體義"
    "，。、：；！？“”‘’「」『』《》（）【】…—·　"
)
_KANA = (
    "あいうえおかがきくけこさしすせそただちっつてでとどなにのはひふへほまみめもやゆよらりるれろわをん"
    "アイクコシスタトドフラリルレロンー"
)
_HANGUL = "이다는에의을를가고은한로하도지기서사대인자정과리수시해일제어스장보그나라있부전여원으주들상"


@dataclass(frozen=True, slots=True)
class Decoded:
    """`text` has no byte order mark and no XML declaration; `encoding` is the codec that read it."""

    text: str
    encoding: str


def decode(body: bytes, content_type: str | None) -> Decoded:
    """The text of `body`, given the Content-Type header it came with. Never raises; time is linear in the body.

    A byte that no character begins with becomes U+FFFD, and what follows it is read as if it had not been there.
    """
    encoding = _wide(body)
    if encoding:
        text = _decode_wide(body, encoding)
    else:
        text, encoding = _decode_bytes(body.removeprefix(codecs.BOM_UTF8), _labels(body, content_type))
    declaration = _DECLARATION.match(text)
    return Decoded(text[declaration.end() :] if declaration else text.lstrip("\ufeff"), encoding)


# ---------------------------------------------------------------------------------------------- what was declared


def _wide(body: bytes) -> str | None:
    """The UTF-16 or UTF-32 form that the body is in, by its byte order mark or its first character."""
    for bom, codec in _BOMS:
        if body.startswith(bom):
            return codec
    return next((codec for pattern, codec in _WIDE if pattern.match(body)), None)


def _labels(body: bytes, content_type: str | None) -> list[str]:
    """The codecs that BOM, HTTP and the XML declaration name, in that order, as far as we know them.

    HTTP's Latin-1 and ASCII are what servers say unasked (RFC 2046 and RFC 3023 made them defaults of text/*): they
    count only where the document itself says nothing.
    """
    bom = "utf-8" if body.startswith(codecs.BOM_UTF8) else None
    header = _CHARSET.search(content_type or "")
    declared = _DECLARED.search(body[:2048])
    http = _codec_of(header[1]) if header else None
    xml = _codec_of(declared[1].decode("ascii")) if declared else None
    if http == "windows-1252" and xml:
        http = None
    return list(dict.fromkeys(codec for codec in (bom, http, xml) if codec))


def _codec_of(label: str) -> str | None:
    """The codec that an encoding label stands for, or None for one that is unknown or that we don't read."""
    return _LABELS.get(re.sub(r"[^a-z0-9]", "", label.lower()))


# ---------------------------------------------------------------------------------------------- UTF-16 and UTF-32


def _decode_wide(body: bytes, codec: str) -> str:
    if codec.startswith("utf-16") and len(body) % 2:
        body = _realigned(body, codec)
    return body.decode(codec, "replace")


def _realigned(body: bytes, codec: str) -> bytes:
    """A UTF-16 body with an odd byte, which is taken out before the first markup that it has put out of step."""
    markup, ascii_unit = (
        (rb"<\0[!-~]\0", rb"[\t\n\r -~]\0") if codec == "utf-16-le" else (rb"\0<\0[!-~]", rb"\0[\t\n\r -~]")
    )
    odd = next((m.start() for m in re.finditer(markup, body) if m.start() % 2), None)
    if odd is None:
        return body
    before = body[:odd]
    even = max((m.end() for m in re.finditer(ascii_unit, before) if m.start() % 2 == 0), default=0)
    return body[:even] + body[even + 1 :]


# ---------------------------------------------------------------------------------------------- encodings over ASCII


def _decode_bytes(body: bytes, labels: list[str]) -> tuple[str, str]:
    """`body` as UTF-8 if that is what it is, else in the encoding that gives the most ordinary text."""
    for codec, escape in _SHIFTED.items():
        if codec in labels and body.count(escape) > len(body) - len(body.translate(None, _HIGH)):
            return body.decode(codec, "replace"), codec
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        whole = _SURROGATES.sub(_one_character, body)
        text = whole.decode("utf-8", "replace")
    if _is_damaged_utf8(body, text, "utf-8" in labels):
        return _with_foreign(whole) if "\ufffd" in text else text, "utf-8"
    codec = _likeliest(_sample(body), [codec for codec in labels if codec != "utf-8" and codec not in _SHIFTED])
    if codec == "big5hkscs":
        codec = _big5_of(body)
    return _decode_damaged(body, codec), codec


def _one_character(pair: re.Match[bytes]) -> bytes:
    return pair[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _is_damaged_utf8(body: bytes, text: str, declared: bool) -> bool:
    """Whether `text`, which is `body` read as UTF-8, has more good sequences than bad ones.

    Other encodings hold about one good sequence to five bad ones by chance. A U+FFFD that came so is a good one.
    """
    bad = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    good = len(text) - bad - len(body.translate(None, _HIGH))
    return good >= bad if declared else good > 2 * bad


def _with_foreign(body: bytes) -> str:
    """`body` in UTF-8, in which whole stretches may stand as they came from a page in another encoding."""
    pieces: list[str] = []
    end = 0
    for match in _STRETCH.finditer(body):
        pieces.append(body[end : match.start()].decode("ascii"))
        end = match.end()
        try:
            pieces.append(match[0].decode("utf-8"))
        except UnicodeDecodeError:
            pieces.append(_foreign(match[0]) or match[0].decode("utf-8", "replace"))
    return "".join(pieces) + body[end:].decode("ascii")


def _foreign(stretch: bytes) -> str | None:
    """A stretch that is ordinary Chinese from its first to its last byte in GB18030 or Big5; None for any other."""
    for codec in _UNDECLARED[:2]:
        try:
            text = stretch.decode(codec)
        except UnicodeDecodeError:
            continue
        scores = [_weights(codec)[char] for char in text if char > "\x7f"]
        if len(scores) >= _FOREIGN and sum(scores) >= _CERTAIN * len(scores):
            return text
    return None


def _big5_of(body: bytes) -> str:
    """Big5-HKSCS or Microsoft's Big5 with the ETEN and user-defined rows: the one that reads more of the body."""
    return min(("big5hkscs", "cp950"), key=lambda codec: body.decode(codec, "replace").count("\ufffd"))


# ---------------------------------------------------------------------------------------------- scoring


def _sample(body: bytes) -> bytes:
    """The first stretches of `body` that are not ASCII, apart by spaces."""
    taken: list[bytes] = []
    size = 0
    for stretch in _STRETCH.finditer(body):
        taken.append(stretch[0][:_SAMPLE])
        size += len(stretch[0])
        if size >= _SAMPLE:
            break
    return b" ".join(taken)


def _likeliest(sample: bytes, labels: list[str]) -> str:
    """The codec in which `sample` is the most ordinary text, with a bonus for those that were declared.

    A declared encoding is never mistaken for the neighbours' ones: a Chinese feed is not taken for Japanese or Korean.
    """
    others: tuple[str, ...] = _UNDECLARED[:3] if labels else _UNDECLARED
    scores: dict[str, float] = {}
    for codec in dict.fromkeys((*labels, *others)):
        scores[codec] = _score(sample, codec)
        if scores[codec] >= (_BORNE_OUT if codec in labels and codec in _STRAY else _CERTAIN):
            return codec
    return max(scores, key=lambda codec: scores[codec] + (_LABEL_BONUS if codec in labels else 0.0))


def _score(sample: bytes, codec: str) -> float:
    """How ordinary the sample's text is in `codec`: 1 at best, below 0 where it is hardly readable."""
    if codec == "windows-1252":
        return _score_latin(sample)
    if codec not in _STRAY:
        return 0.6 - 2.0 * _share_bad(sample, codec)
    weights = _weights(codec)
    text = [char for char in _decode_damaged(sample, codec) if char > "\x7f"]
    return sum(weights[char] for char in text) / max(len(text), 1)


def _share_bad(sample: bytes, codec: str) -> float:
    high = len(sample) - len(sample.translate(None, _HIGH))
    return sample.decode(codec, "replace").count("\ufffd") / max(high, 1)


def _score_latin(sample: bytes) -> float:
    """Western text has its accented letters and quotes one by one between ASCII; runs of them are something else."""
    runs = [len(run) for run in _HIGH_RUN.findall(sample)]
    worth = sum(1.0 if run == 1 else 0.4 if run == 2 else -0.5 * run for run in runs)
    return worth / max(sum(runs), 1)


class _Weights(dict[str, float]):
    """What each character of a CJK text says for its encoding: 1 frequent, 0.6 common, 0 rare, less for damage."""

    def __missing__(self, char: str) -> float:
        if char == "\ufffd":
            return -2.0
        half_width_kana = "\uff61" <= char <= "\uff9f"
        private = "\ue000" <= char <= "\uf8ff"
        return -0.5 if half_width_kana or private or char < "\xa0" else 0.0


@cache
def _weights(codec: str) -> _Weights:
    """Weights of `codec`, by the rows in which its standard puts the characters in common use."""
    leads, trails, frequent = {
        "gb18030": (range(0xB0, 0xD8), range(0xA1, 0xFF), _HAN),  # GB 2312, level 1
        "big5hkscs": (range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF)), _HAN),  # Big5, level 1
        "cp932": (range(0x88, 0x99), (*range(0x40, 0x7F), *range(0x80, 0xFD)), _HAN + _KANA),  # JIS X 0208, level 1
        "euc_jp": (range(0xB0, 0xD0), range(0xA1, 0xFF), _HAN + _KANA),  # the same
        "cp949": (range(0xB0, 0xC9), range(0xA1, 0xFF), _HANGUL),  # KS X 1001, hangul
    }[codec]
    common = (bytes((lead, trail)).decode(codec, "ignore") for lead in leads for trail in trails)
    return _Weights(dict.fromkeys(common, 0.6) | dict.fromkeys(frequent, 1.0))


# ---------------------------------------------------------------------------------------------- damage


def _decode_damaged(body: bytes, codec: str) -> str:
    """`body` in `codec`, in which a lost or spoilt byte does not put the rest of its stretch out of step."""
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return "".join(_decode_stretches(body, codec)) if codec in _STRAY else body.decode(codec, "replace")


def _decode_stretches(body: bytes, codec: str) -> Iterator[str]:
    end = 0
    budget = _REPAIRED
    for match in _STRETCH.finditer(body):
        yield body[end : match.start()].decode("ascii")
        end = match.start()
        try:
            yield match[0].decode(codec)
        except UnicodeDecodeError:
            budget -= len(match[0])
            if budget < 0:
                break
            yield _mended(match[0], codec)
        end = match.end()
    yield body[end:].decode(codec, "replace")


def _mended(stretch: bytes, codec: str) -> str:
    """The reading of a damaged stretch that costs least: rare characters cost, damage costs more."""
    cheapest = [0.0] + [float("inf")] * len(stretch)  # [i]: of all readings of the first i bytes
    last = [(0, "")] * len(cheapest)  # [i]: where the last character of that reading starts, and what it is
    for start in range(len(stretch)):
        for size in (1, 2, 3, 4):
            if start + size > len(stretch):
                break
            char, cost = _unit(stretch[start : start + size], codec)
            # (Of two that cost the same, the one that is damaged nearer to where it shows.)
            if cheapest[start] + cost <= cheapest[start + size]:
                cheapest[start + size] = cheapest[start] + cost
                last[start + size] = (start, char)
    return _joined(last)


def _unit(unit: bytes, codec: str) -> tuple[str, float]:
    """`unit` as one character, and what reading it so costs. Damage is one byte, two that look like a pair, or one that
    was put in between the two of a character."""
    if unit[0] < 0x80:
        return unit.decode("ascii", "replace"), _LETTER if len(unit) == 1 else float("inf")
    if unit == b"\x80" and codec == "gb18030":  # as Windows and browsers have it
        return "€", _DAMAGE - 1.0
    if len(unit) == 3 and unit[1] in _STRAY[codec]:
        char, cost = _unit(unit[::2], codec)
        return f"\ufffd{char}", _DAMAGE + cost if char != "\ufffd" else float("inf")
    try:
        char = unit.decode(codec)
    except UnicodeDecodeError:
        char = ""
    if len(char) == 1:
        return char, 1.0 - _weights("big5hkscs" if codec == "cp950" else codec)[char]
    return "\ufffd", _DAMAGE if len(unit) == 1 or (len(unit) == 2 and unit[1] >= 0x80) else float("inf")


def _joined(last: list[tuple[int, str]]) -> str:
    chars = []
    end = len(last) - 1
    while end:
        end, char = last[end]
        chars.append(char)
    return "".join(reversed(chars))
