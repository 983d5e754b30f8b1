"""Name the kinds of columns a sheet of rules has: how each is read, and how it is written."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.text import slugify
from import_export.fields import Field
from import_export.widgets import Widget

from ledger.admin import cells
from ledger.admin.cells import CellRefused
from ledger.admin.names import Names
from ledger.money import is_currency


class Column(Field):  # type: ignore[misc]  # the library has no types
    """One column of a sheet. One that says nothing where it is empty leaves what stands, or what the model begins with."""

    def __init__(self, attribute: str, heading: str, widget: Widget, *, readonly: bool = False, keeps: bool = False) -> None:
        super().__init__(attribute=attribute, column_name=heading, widget=widget, readonly=readonly, saves_null_values=not keeps)


class Cell(Widget):  # type: ignore[misc]  # the library has no types
    """A cell that is read by a function from text, and written plainly."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self.read = read

    @property
    def is_amount(self) -> bool:
        """Tell whether it holds an amount or a percentage."""
        return self.read in (cells.amount, cells.percentage)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Read the cell; raise CellRefused."""
        return self.read(cells.tidied(value))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        """Write the cell: a number or a day as such where the file can hold one, else text that no spreadsheet runs."""
        if kwargs.get("native") and not isinstance(value, bool | str | None):
            return value.normalize() if isinstance(value, Decimal) else value
        text = cells.plain(value)
        return cells.escaped(text) if isinstance(value, str) else text


def _names(kwargs: dict[str, Any]) -> Names:
    names: Names = kwargs["names"]
    return names


class ProductCell(Cell):
    """A product by its name; empty is none, which is every product."""

    def __init__(self) -> None:
        super().__init__(str)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        """Return the product's key."""
        name = cells.tidied(value)
        return _names(kwargs).product(name) if name else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Return its name."""
        return "" if value is None else cells.escaped(_names(kwargs).products[value])


class PartnerCell(Cell):
    """A partner by name; empty is none."""

    def __init__(self) -> None:
        super().__init__(str)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        """Return the partner's key."""
        name = cells.tidied(value)
        return _names(kwargs).partner(name) if name else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Return the name."""
        return "" if value is None else cells.escaped(_names(kwargs).partner_name(value))


class ChannelCell(Cell):
    """A sales channel by its key or label; empty is every channel."""

    def __init__(self) -> None:
        super().__init__(str)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Return the channel's key."""
        name = cells.tidied(value)
        return _names(kwargs).channel(name) if name else ""


class OrderCell(Cell):
    """An order by its number, with or without its #."""

    def __init__(self) -> None:
        super().__init__(str)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        """Return the order's key."""
        return int(_names(kwargs).orders.order(cells.tidied(value)).pk)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Return its number."""
        return "" if value is None else cells.escaped(_names(kwargs).orders.number(value))


class LineCell(Cell):
    """A line of the row's order by its SKU, its title or the platform's id; may be empty where the order has one line."""

    def __init__(self) -> None:
        super().__init__(str)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Return the platform's id of the line."""
        orders, name = _names(kwargs).orders, cells.tidied(value)
        try:
            order = orders.order(cells.tidied(row["Order"]))
        except CellRefused:
            return name or "?"  # the order's own cell tells it
        return str(orders.line(order, name).external_id)


class VariantCell(Cell):
    """One of the three cells that together name a variant; the first is read with the help of the others."""

    def __init__(self, part: str, headings: tuple[str, str, str]) -> None:
        super().__init__(str)
        self.part, self.headings = part, headings

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        """Return the variant's key."""
        sku, product, title = (cells.tidied(row.get(heading) or "") for heading in self.headings)
        if not (sku or product):
            raise CellRefused(f"Give the SKU, or where there is none what stands under “{self.headings[1]}” and “{self.headings[2]}” in an export.")
        return _names(kwargs).variant(sku, product, title)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Return the SKU, the product or the title."""
        return "" if value is None else cells.escaped(getattr(_names(kwargs).variants[value], self.part))


def store_name() -> Column:
    """Say whose row it is; on the way in it is checked, never read."""
    return Column("store_id", "Store", StoreCell(), readonly=True)


class StoreCell(Cell):
    """The name of the row's store."""

    def __init__(self) -> None:
        super().__init__(str)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Return the name."""
        return cells.escaped(_names(kwargs).store.name)


def variant(attribute: str, *headings: str) -> tuple[Column, Column, Column]:
    """Name a variant in three columns: its SKU, its product, its own title."""
    sku, product, title = headings
    return tuple(  # type: ignore[return-value]
        Column(attribute, heading, VariantCell(part, (sku, product, title)), readonly=part != "sku")
        for part, heading in zip(("sku", "product", "title"), headings, strict=True)
    )


def product() -> Column:
    """Name a product, or every one."""
    return Column("product_id", "Product", ProductCell())


def words(attribute: str, heading: str) -> Column:
    """Hold text."""
    return Column(attribute, heading, Cell(str))


def amount(attribute: str, heading: str, *, may_lack: bool = False) -> Column:
    """Hold an amount; where it may not lack, an empty cell leaves what stands."""
    return Column(attribute, heading, Cell(cells.amount), keeps=not may_lack)


def percentage(attribute: str, heading: str, *, may_lack: bool = False) -> Column:
    """Hold a percentage."""
    return Column(attribute, heading, Cell(cells.percentage), keeps=not may_lack)


def count(attribute: str, heading: str, *, may_lack: bool = False) -> Column:
    """Hold a whole number."""
    return Column(attribute, heading, Cell(cells.count), keeps=not may_lack)


def day(attribute: str, heading: str) -> Column:
    """Hold a day, or none."""
    return Column(attribute, heading, Cell(cells.day))


def currency(*, may_lack: bool = False) -> Column:
    """Hold a currency's code."""

    def read(text: str) -> str | None:
        code = text.upper()
        if code and not is_currency(code):
            raise CellRefused(f"“{text}” is not an ISO 4217 currency code such as EUR or USD.")
        return code if code or may_lack else None

    return Column("currency", "Currency", Cell(read), keeps=not may_lack)


def gateway() -> Column:
    """Hold a gateway as payments are compared with it."""
    return Column("gateway", "Gateway", Cell(str.lower))


def discount_code() -> Column:
    """Hold a discount code as those of orders are compared with it."""
    return Column("code", "Code", Cell(str.upper))


def label() -> Column:
    """Hold an account's label, in words or as it is kept."""

    def read(text: str) -> str:
        made = slugify(text)
        if not made:
            raise CellRefused("Give a label with letters a to z or figures in it, such as rent or studio-rent.")
        return made

    return Column("label", "Label", Cell(read))


def choice(attribute: str, heading: str, choices: Any) -> Column:
    """Hold one of some named choices."""
    return Column(attribute, heading, Cell(lambda text: cells.one_of(text, choices)))


def yes_no(attribute: str, heading: str) -> Column:
    """Hold yes or no."""
    return Column(attribute, heading, Cell(cells.yes_no))
