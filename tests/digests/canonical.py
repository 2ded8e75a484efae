"""A second implementation of docs/digests.md, written from that page. The
canonical encoder is its own; only the shapes of messages come from protobuf's
descriptors."""

import hashlib
import unicodedata

VARINT, DELIMITED = 0, 2


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number_field(field, value, always=False):
    if value == 0 and not always:
        return b""
    return varint(field << 3 | VARINT) + varint(int(value))


def delimited(field, body):
    return varint(field << 3 | DELIMITED) + varint(len(body)) + body


def text_field(field, text, always=False):
    if not text and not always:
        return b""
    return delimited(field, unicodedata.normalize("NFC", text).encode("utf-8"))


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def message_form(message):
    """The canonical form of a protobuf message, by its descriptor."""
    out = b""
    for field in sorted(message.DESCRIPTOR.fields, key=lambda f: f.number):
        repeated = field.label == field.LABEL_REPEATED
        if repeated:
            values = getattr(message, field.name)
        elif field.containing_oneof or field.message_type:
            values = [getattr(message, field.name)] if message.HasField(field.name) else []
        else:
            values = [getattr(message, field.name)]
        always = repeated or field.containing_oneof is not None
        for value in values:
            if field.message_type:
                out += delimited(field.number, message_form(value))
            elif field.type == field.TYPE_STRING:
                out += text_field(field.number, value, always)
            else:
                out += number_field(field.number, value, always)
    return out


def value_form(value):
    """`value` is {"decimal": "20.5"} and so on, as in the vectors."""
    (kind, said), = value.items()
    if kind == "ratio":
        return delimited(2, number_field(1, said["numerator"])
                         + number_field(2, said["denominator"]))
    if kind == "flag":
        return number_field(4, said, always=True)
    if kind == "missing":
        return number_field(6, said, always=True)
    return text_field({"decimal": 1, "level": 3, "text": 5}[kind], said, always=True)


def item_form(item):
    source = item["source"]
    source_form = (text_field(2, source.get("title", "")) + text_field(3, source.get("uri", ""))
                   + text_field(4, source.get("sha256", ""))
                   + number_field(5, source.get("reconstructed", False)))
    return (text_field(1, item["organisation"]) + text_field(2, item["period"])
            + text_field(3, item["code"]) + text_field(4, item.get("instance", ""))
            + delimited(5, value_form(item["value"]))
            + text_field(6, item.get("observed_on", "")) + delimited(7, source_form)
            + override_form(item.get("override")))


def override_form(override):
    if override is None:
        return b""
    return delimited(8, text_field(1, override["authority"])
                     + text_field(2, override["expires_on"]))


def result_form(result):
    out = text_field(1, result["id"])
    if "not_rated" in result:
        why = result["not_rated"]
        out += delimited(4, text_field(1, why["reason"]) + text_field(2, why["rule_id"])
                         + text_field(3, why["code"]))
    elif "number" in result:
        out += text_field(3, result["number"], always=True)
    else:
        out += text_field(2, result["level"], always=True)
    if "mechanical" in result:
        out += delimited(6, result_form(result["mechanical"]))
    return out


def rating_form(rating):
    out = text_field(1, rating["organisation"]) + text_field(2, rating["period"])
    for digest in sorted(rating["items"]):
        out += text_field(3, digest, always=True)
    for name, value in sorted(rating.get("attributes", {}).items()):
        out += delimited(4, text_field(1, name) + text_field(2, value))
    for digest in sorted(set(rating.get("published", []))):
        out += text_field(5, digest, always=True)
    for digest in rating.get("tables", []):
        out += text_field(6, digest, always=True)
    out += text_field(7, rating["scheme"])
    for result in rating["results"]:
        out += delimited(8, result_form(result))
    for decision in rating["decisions"]:
        out += delimited(9, text_field(1, decision["id"]) + text_field(2, decision["code"])
                         + text_field(3, decision["previous"])
                         + text_field(4, decision["state"]) + number_field(5, decision["move"]))
    return out + text_field(10, rating["date"])


def table_form(table):
    out = text_field(1, table["scheme"]) + text_field(2, table["quantiles"])
    for cut in table["cuts"]:
        out += text_field(3, cut, always=True)
    return out + number_field(4, table["organisations"]) + number_field(5, table["known"])


def bucket_of(organisation):
    return int.from_bytes(hashlib.sha256(organisation.encode("utf-8")).digest()[:2], "big")


def round_digest(ratings):
    """`ratings` maps organisations to the digests of their ratings."""
    buckets = {}
    for organisation, digest in ratings.items():
        buckets.setdefault(bucket_of(organisation), []).append(
            (organisation.encode("utf-8"), bytes.fromhex(digest)))
    whole = b""
    for bucket in sorted(buckets):
        body = b"".join(len(name).to_bytes(2, "big") + name + digest
                        for name, digest in sorted(buckets[bucket]))
        whole += bucket.to_bytes(2, "big") + hashlib.sha256(body).digest()
    return sha256(whole)
