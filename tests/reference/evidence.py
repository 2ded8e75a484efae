"""How an input reads a dossier: instances, exemption, staleness, expiry, assumption. Part
of the second implementation; see reference.py."""

import datetime
import math
from fractions import Fraction
from typing import NamedTuple

from rules import Absent


class Reading(NamedTuple):
    value: object  # A level's place, a fraction, or Absent.
    text: str  # For people; empty if absent.
    assumed: bool = False
    refused: bool = False
    overridden: bool = False  # By an override in force.


def share(numerator, denominator, unit):
    """`21.4 % (30 of 140 children)`, half-up."""
    tenths = math.floor(Fraction(numerator * 1000, denominator) + Fraction(1, 2))
    per_cent = f"{tenths // 10}.{tenths % 10}"
    return f"{per_cent} % ({numerator} of {denominator}{' ' + unit if unit else ''})"


def level(scheme, entry, name):
    """A level by name; what the scale does not have is not to be relied on."""
    scale = scheme.scale_of[entry.code]
    return (scale.index[name], name) if name in scale.index else ("UNRELIABLE", "")


def said(scheme, entry, item):
    """What an item says to this input: (value, text), or (reason, "")."""
    (kind, what), = item["value"].items()
    if kind == "missing":
        return what, ""
    wanted = entry.WhichOneof("type")
    if wanted == "scale" and kind == "level":
        return level(scheme, entry, what)
    if wanted == "scale" and kind == "flag":
        return level(scheme, entry, "yes" if what else "no")
    if wanted != kind:
        return "UNRELIABLE", ""
    if kind == "ratio":
        return Fraction(*what), share(*what, entry.ratio.unit)
    unit = entry.decimal.unit
    return Fraction(what), what + (" " + unit if unit else "")


def usable(scheme, entry, item, day):
    """The same, after exemption, staleness and the expiry of overrides."""
    value, text = said(scheme, entry, item)
    if isinstance(value, str):
        return value, text
    if entry.HasField("exempt") and entry.WhichOneof("type") == "ratio":
        if item["value"]["ratio"][1] < entry.exempt.when_denominator_below:
            return "EXEMPT", ""
    observed = item.get("observed_on")
    if entry.HasField("stale") and observed:
        if (day - datetime.date.fromisoformat(observed)).days > entry.stale.after_days:
            return "STALE", ""
    if "expires_on" in item and datetime.date.fromisoformat(item["expires_on"]) <= day:
        return "EXPIRED", ""
    return value, text


def of_evidence(scheme, entry, dossier, day):
    period = "standing" if entry.standing else dossier["period"]
    items = [item for item in dossier["items"]
             if item["code"] == entry.code and item["period"] == period
             and (entry.fold or not item["instance"])]
    found = [(*usable(scheme, entry, item, day), "expires_on" in item) for item in items]
    values = [said for said in found if not isinstance(said[0], str)]
    if not values:
        return (*found[0][:2], False) if found else ("NOT_REPORTED", "", False)
    kind = entry.WhichOneof("type")
    lower_is_better = kind != "scale" and getattr(entry, kind).lower_is_better
    pick = min if (entry.fold == 1) != lower_is_better else max
    return pick(values, key=lambda said: said[0])


def of_register(scheme, entry, dossier):
    name = dossier["kind"] if entry.attribute.of == 1 else dossier["region"]
    return level(scheme, entry, name) if name else ("NOT_REPORTED", "")


def of_publications(scheme, entry, dossier):
    wanted = entry.published.scheme, entry.published.result
    for name, result, found in dossier["published"]:
        if (name, result) == wanted and found:
            return level(scheme, entry, found)
    return "NOT_REPORTED", ""


def read(scheme, entry, dossier, day):
    """What an input of a scheme reads in a dossier as of a day."""
    kind, overridden = entry.WhichOneof("type"), False
    if kind == "attribute":
        value, text = of_register(scheme, entry, dossier)
    elif kind == "published":
        value, text = of_publications(scheme, entry, dossier)
    else:
        value, text, overridden = of_evidence(scheme, entry, dossier, day)
    if not isinstance(value, str):
        return Reading(value, text, overridden=overridden)
    if entry.on_missing == 3:
        return Reading(scheme.scale_of[entry.code].index[entry.assume], entry.assume, assumed=True)
    return Reading(Absent(value, entry.code, entry.code), "", refused=entry.on_missing == 1)
