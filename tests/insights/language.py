"""The part of the Logs Insights language that the saved queries use. Whatever it does not know raises, so that a query
can't pass by being misread. Where Insights leaves it open what a missing field is compared to, it matches nothing.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.insights.values import Row, number, order, shown

Reader = Callable[[Row], Any]
Condition = Callable[[Row], bool]

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<period>\d+[smhd]\b)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[@A-Za-z_][\w@.]*)
    | (?P<sign><=|>=|!=|[=<>(),\[\]*+/-])
    )""",
    re.VERBOSE,
)
_REGEX = re.compile(r"\s*/((?:[^/\\]|\\.)+)/(i?)")
_PERIODS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class QueryError(ValueError):
    """A query that is outside the part known here."""


@dataclass(slots=True)
class Parser:
    """One command, read from left to right."""

    text: str
    at: int = 0

    def peek(self) -> tuple[str, str]:
        match = _TOKENS.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            return "end", self.text[self.at :].strip()
        return match.lastgroup, match[match.lastgroup]

    def take(self, kind: str, value: str | None = None) -> str:
        found, text = self.peek()
        if found != kind or (value is not None and text.lower() != value):
            raise QueryError(f"{self.text!r}: expected {value or kind}, was {text!r}")
        match = _TOKENS.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return text

    def accept(self, value: str) -> bool:
        kind, text = self.peek()
        if kind in ("name", "sign") and text.lower() == value:
            self.take(kind)
            return True
        return False

    def word(self) -> str:
        return self.take("name").lower()

    def end(self) -> None:
        if self.text[self.at :].strip():
            raise QueryError(f"{self.text!r}: can't read {self.text[self.at :]!r}")

    def condition(self) -> Condition:
        left = self._all_of()
        while self.accept("or"):
            left = _either(left, self._all_of())
        return left

    def _all_of(self) -> Condition:
        left = self._one()
        while self.accept("and"):
            left = _both(left, self._one())
        return left

    def _one(self) -> Condition:
        if self.accept("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self.accept("ispresent"):
            self.take("sign", "(")
            name = self.take("name")
            self.take("sign", ")")
            return lambda row: name in row
        if self.accept("("):
            found = self.condition()
            self.take("sign", ")")
            return found
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self.value()
        negated = self.accept("not")
        if self.accept("in"):
            return _known(left, self._list().__contains__, negated=negated)
        if self.accept("like"):
            pattern = self._pattern()
            return _known(left, lambda value: pattern.search(str(value)) is not None, negated=negated)
        if negated:
            raise QueryError(f"{self.text!r}: `not` must be followed by in or like here")
        return _compared(left, self.take("sign"), self.value())

    def _list(self) -> list[Any]:
        self.take("sign", "[")
        values = [json.loads(self.take("string"))]
        while self.accept(","):
            values.append(json.loads(self.take("string")))
        self.take("sign", "]")
        return values

    def _pattern(self) -> re.Pattern[str]:
        match = _REGEX.match(self.text, self.at)
        if match is None:
            return re.compile(re.escape(json.loads(self.take("string"))))
        self.at = match.end()
        return re.compile(match[1], re.IGNORECASE if match[2] else 0)

    def value(self) -> Reader:
        left = self._product()
        while (sign := self.peek()) in (("sign", "+"), ("sign", "-")):
            self.take("sign")
            left = _arithmetic(sign[1], left, self._product())
        return left

    def _product(self) -> Reader:
        left = self._atom()
        while (sign := self.peek()) in (("sign", "*"), ("sign", "/")):
            self.take("sign")
            left = _arithmetic(sign[1], left, self._atom())
        return left

    def _atom(self) -> Reader:
        kind, _ = self.peek()
        if kind == "string":
            literal = json.loads(self.take(kind))
            return lambda row: literal
        if kind == "number":
            literal_number = float(self.take(kind))
            return lambda row: literal_number
        name = self.take("name")
        if not self.accept("("):
            return lambda row: row.get(name)
        return self._call(name)

    def _call(self, name: str) -> Reader:
        if name == "bin":
            period = self.take("period")
            self.take("sign", ")")
            seconds = int(period[:-1]) * _PERIODS[period[-1]]
            return lambda row: shown(row["@timestamp"] // seconds * seconds)
        arguments = [self.value()]
        while self.accept(","):
            arguments.append(self.value())
        self.take("sign", ")")
        if name == "coalesce":
            return lambda row: next((value for read in arguments if (value := read(row)) is not None), None)
        if name == "strcontains" and len(arguments) == 2:
            text, part = arguments
            return lambda row: int(str(part(row)) in str(text(row) or ""))
        raise QueryError(f"function must be bin, coalesce or strcontains, was {name!r} with {len(arguments)} arguments")

    def columns(self) -> list[tuple[str, Reader]]:
        found = [self._column()]
        while self.accept(","):
            found.append(self._column())
        return found

    def _column(self) -> tuple[str, Reader]:
        start = self.at
        read = self.value()
        name = self.text[start : self.at].strip()
        return (self.take("name") if self.accept("as") else name), read

    def figures(self) -> list[tuple[str, Callable[[list[Row]], Any]]]:
        found = [self._figure()]
        while self.accept(","):
            found.append(self._figure())
        return found

    def _figure(self) -> tuple[str, Callable[[list[Row]], Any]]:
        start = self.at
        function = self.word()
        self.take("sign", "(")
        read: Reader | None = None
        percentile = 0.0
        if function == "count" and self.accept("*"):
            function = "count_all"
        else:
            read = self.value()
        if function == "pct":
            self.take("sign", ",")
            percentile = float(self.take("number"))
        self.take("sign", ")")
        name = self.text[start : self.at].strip()
        return (self.take("name") if self.accept("as") else name), _figure(function, read, percentile)

    def orders(self) -> list[tuple[str, bool]]:
        found = []
        while True:
            name = self.take("name")
            descending = self.accept("desc")
            if not descending:
                self.accept("asc")
            found.append((name, descending))
            if not self.accept(","):
                return found


def _figure(function: str, read: Reader | None, percentile: float) -> Callable[[list[Row]], Any]:
    if read is None:
        return len

    def of(rows: list[Row]) -> Any:
        known = [(row["@timestamp"], value) for row in rows if (value := read(row)) is not None]
        values = [value for _, value in known]
        numbers = [found for value in values if (found := number(value)) is not None]
        match function:
            case "count":
                return len(values)
            case "count_distinct":
                return len(set(values))
            case "sum":
                return sum(numbers)
            case "min" | "max":
                chosen = min if function == "min" else max
                return chosen(values, key=order, default=None)
            case "avg":
                return sum(numbers) / len(numbers) if numbers else None
            case "pct":
                return sorted(numbers)[round(percentile / 100 * (len(numbers) - 1))] if numbers else None
            case "latest" | "earliest":
                ordered = sorted(range(len(known)), key=lambda index: (known[index][0], index))
                return known[ordered[-1 if function == "latest" else 0]][1] if ordered else None
        raise QueryError(f"figure must be one that is known here, was {function!r}")

    of([])  # an unknown figure is refused also where no row matches
    return of


def _either(left: Condition, right: Condition) -> Condition:
    return lambda row: left(row) or right(row)


def _both(left: Condition, right: Condition) -> Condition:
    return lambda row: left(row) and right(row)


def _known(left: Reader, test: Callable[[Any], bool], *, negated: bool) -> Condition:
    def holds(row: Row) -> bool:
        value = left(row)
        return value is not None and test(value) is not negated

    return holds


def _compared(left: Reader, sign: str, right: Reader) -> Condition:
    def holds(row: Row) -> bool:
        one, two = left(row), right(row)
        if one is None or two is None:
            return False
        numbers = number(one), number(two)
        if numbers[0] is not None and numbers[1] is not None:
            one, two = numbers
        elif sign not in ("=", "!="):
            return False
        return {
            "=": lambda: one == two, "!=": lambda: one != two, "<": lambda: one < two, ">": lambda: one > two,
            "<=": lambda: one <= two, ">=": lambda: one >= two,
        }[sign]()  # fmt: skip

    if sign not in ("=", "!=", "<", ">", "<=", ">="):
        raise QueryError(f"comparison must be = != < > <= or >=, was {sign!r}")
    return holds


def _arithmetic(sign: str, left: Reader, right: Reader) -> Reader:
    def of(row: Row) -> float | None:
        one, two = number(left(row)), number(right(row))
        if one is None or two is None:
            return None
        match sign:
            case "+":
                return one + two
            case "-":
                return one - two
            case "*":
                return one * two
        return one / two if two else None

    return of
