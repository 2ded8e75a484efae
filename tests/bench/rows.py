"""What a benchmark found, as a row of the table."""


def row(name, value, unit, limit, against="goal", goal=1):
    """`value` beside `limit`: of a rate, at least `goal` of it; of anything else,
    at most `goal` times it."""
    ratio = value / limit
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": round(limit, 3),
            "against": against, "ratio": round(ratio, 4), "goal": goal,
            "met": ratio >= goal if unit.endswith("/s") else ratio <= goal}


def missing(name, why):
    """In place of a row that there is none of, and why."""
    return {"name": name, "missing": why}
