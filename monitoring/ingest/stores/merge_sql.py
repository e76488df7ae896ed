"""SQL that follows from the table of merge rules: the staging table and the merge statement. Pure.

Staging holds times as microseconds since the epoch, as registers do; the statement turns them into timestamps.
"""

from __future__ import annotations

from monitoring.ingest.registers import Register, Rules
from monitoring.ingest.stores.derivation_sql import DERIVE_FROM, EXPRESSIONS

#: A moment from microseconds since the epoch. An interval's factor is a float, which is exact to the year 2255; events
#: come from before 2100.
_EVENT_TIME = "timestamptz 'epoch' + {0} * interval '1 microsecond'"
#: The same, exact to the year 9999, which an ETA may be in, at twice the cost: the seconds go by themselves.
_ANY_TIME = (
    "timestamptz 'epoch' + {0} / 1000000 * interval '1 second' + {0} % 1000000 * interval '1 microsecond'"
)


def staging_table(name: str, types: dict[str, str], *, times: str = "bigint") -> str:
    """CREATE statement of a staging table that empties itself at each commit; `types` by column.

    `times` is the type that columns of times have there.
    """
    columns = ", ".join(
        f"{column} {times if kind.startswith('timestamp') else kind}" for column, kind in types.items()
    )
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS"


def merge_statement(
    table: str, staging: str, rules: Rules, types: dict[str, str], *, beside: dict[str, str], returning: str
) -> str:
    """INSERT ... ON CONFLICT DO UPDATE that joins the staged rows into `table`.

    `beside` maps a column beside those of the rules to what an update puts into it: an expression over the row as it
    was, ``t``, and the staged one, ``excluded``.

    `types` are the table's column types, rule columns first and then the derived ones, which staging holds as they
    follow from the staged rows alone: for a row that is new they hold, for one that is joined they are derived anew.
    Rows go in key order, so that consumers never deadlock. A row that the join does not change is not written.
    """
    columns = list(types)
    said = {column for register in rules.registers for column in register.fields}
    times = {
        column: _ANY_TIME if column in said else _EVENT_TIME
        for column, kind in types.items()
        if kind.startswith("timestamp")
    }
    others = [column for column in columns if column != rules.key]
    derived = columns[len(rules.columns) :]
    merged = ", ".join(_merged(rules))
    assigned = ", ".join(_time(c, EXPRESSIONS[c], times) if c in derived else c for c in others)
    return f"""
INSERT INTO {table} AS t ({", ".join(columns)})
SELECT {", ".join(_time(column, column, times) for column in columns)} FROM {staging} ORDER BY {rules.key}
ON CONFLICT ({rules.key}) DO UPDATE SET ({", ".join(others)}) = (
  WITH m AS (SELECT {merged} OFFSET 0)
  SELECT {assigned} FROM {DERIVE_FROM}){"".join(f", {column} = {value}" for column, value in beside.items())}
WHERE {" OR ".join([*_extreme_changes(rules), *map(_wins, rules.registers)])}
RETURNING {returning}"""


def changes(rules: Rules, *columns: str) -> str:
    """Whether the join changes any of these columns, which registers carry: an expression for `beside`."""
    return " OR ".join(
        f"({_wins(register)} AND excluded.{column} IS DISTINCT FROM t.{column})"
        for register in rules.registers
        for column in register.fields
        if column in columns
    )


def _time(column: str, expression: str, times: dict[str, str]) -> str:
    return times[column].format(f"({expression})") if column in times else expression


def _wins(register: Register) -> str:
    """Whether the staged event is newer than the stored one. NULL on either side: an absent register is the least."""
    ts, tie = f"{register.name}_ts", f"{register.name}_tie"
    return f"(excluded.{ts} IS NOT NULL AND (t.{ts} IS NULL OR (excluded.{ts}, excluded.{tie}) > (t.{ts}, t.{tie})))"


def _extreme_changes(rules: Rules) -> list[str]:
    return [
        f"(excluded.{e.column} IS NOT NULL AND (t.{e.column} IS NULL"
        f" OR excluded.{e.column} {'>' if e.largest else '<'} t.{e.column}))"
        for e in rules.extremes
    ]


def _merged(rules: Rules) -> list[str]:
    """The join, column by column. GREATEST and LEAST ignore NULL, as the join does."""
    merged = [
        f"{'greatest' if e.largest else 'least'}(t.{e.column}, excluded.{e.column}) AS {e.column}"
        for e in rules.extremes
    ]
    for register in rules.registers:
        wins = _wins(register)
        merged += [f"CASE WHEN {wins} THEN excluded.{c} ELSE t.{c} END AS {c}" for c in register.columns]
    return merged
