"""Define every figure the pages show, in one place: its term, what it is, how it is reckoned, its sign, and an example.

The examples are all of one order (docs/metrics.md, order 1001): two units at 50.00, 10.00 off, shipping 5.00, tax 18.05, nothing known
about its costs. A test reckons them anew.
"""

from dataclasses import dataclass

POSITIVE = "Income is positive."
COST = "A cost is negative; what comes back is positive."
SUM = "Above zero is earned, below zero is lost."
COUNT = "A whole number."
SHARE = "In per cent; a dash where the base is not above zero."
MULTIPLE = "A multiple; a dash where it says nothing."


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: how it is called, what it is in a sentence, its formula, what its sign means, and an example."""

    key: str
    term: str
    sentence: str
    formula: str
    sign: str
    example: str = ""

    @property
    def title(self) -> str:
        """Return what is shown on hover."""
        return f"{self.sentence} {self.formula}"


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that belong together."""

    title: str
    metrics: tuple[Metric, ...]


DICTIONARY: tuple[Group, ...] = (
    Group("The statement", (
        Metric("gross_sales", "Gross sales", "What was sold at list price, with tax removed and before discounts; gift cards sold are left out.",
               "price × quantity, without tax", POSITIVE, "2 × 50.00 = 100.00"),
        Metric("discounts", "Discounts", "What was taken off the list price.", "sum of all discounts, without tax",
               "Lowers sales, so it is negative.", "−10.00"),
        Metric("returns", "Returns", "Goods and goodwill given back, on the day of the refund or, on the order basis, of the order.",
               "goods part of refunds, without tax", "Lowers sales, so it is negative.", "0.00"),
        Metric("shipping_charged", "Shipping charged", "What customers paid for shipping, after shipping refunds.",
               "shipping charged − shipping given back, without tax", POSITIVE, "5.00"),
        Metric("other_income", "Other income", "Tips, and fees charged to customers.", "tips + fees charged", POSITIVE, "0.00"),
        Metric("net_revenue", "Net revenue", "What sales brought after discounts and returns; it never contains tax.",
               "gross sales + discounts + returns + shipping charged + other income", SUM, "100.00 − 10.00 + 0.00 + 5.00 + 0.00 = 95.00"),
        Metric("cogs", "COGS", "What the goods sold cost, landed; the units that came back and were restocked are taken off again.",
               "unit cost × quantity", COST, "−40.00, estimated at 40 % of the list price"),
        Metric("gross_profit", "Gross profit (CM1)", "What is left of net revenue after the goods themselves.", "net revenue + COGS", SUM,
               "95.00 − 40.00 = 55.00"),
        Metric("fulfilment", "Shipping, packaging, fulfilment", "What it cost to pack and send the orders.",
               "labels + packing + fulfilment", COST, "−5.00, estimated at what the customer paid"),
        Metric("fees", "Payment, marketplace and dispute fees", "What processors and marketplaces kept.",
               "payment fees + marketplace fees + dispute fees", COST, "−3.58, estimated at 2.9 % of 113.05 + 0.30"),
        Metric("cm2", "Contribution after fulfilment and fees (CM2)", "What the orders themselves earned, before anybody advertised them.",
               "CM1 + fulfilment + fees", SUM, "55.00 − 5.00 − 3.58 = 46.42"),
        Metric("marketing", "Marketing", "Ads, influencers, affiliate commission, e-mail and SMS.", "sum of all marketing costs", COST, "0.00"),
        Metric("cm3", "Contribution after marketing (CM3)", "What is left to pay for running the business.", "CM2 + marketing", SUM,
               "46.42 + 0.00 = 46.42"),
        Metric("operating", "Operating costs", "Rent, salaries, subscriptions and the like, as entered by hand.", "sum of all operating costs",
               COST, "0.00"),
        Metric("net_profit", "Net profit", "What the store earned, before income tax, interest and depreciation.", "CM3 + operating costs", SUM,
               "46.42 + 0.00 = 46.42"),
    )),
    Group("Beside profit, never part of it", (
        Metric("tax", "Tax and duty collected", "Tax and duty that customers paid and the store owes.", "tax + duty, less what was given back",
               "Collected is positive, given back is negative.", "18.05"),
        Metric("gift_cards", "Gift cards sold less redeemed", "Cards sold are a debt until they are redeemed; then they are revenue.",
               "gift cards sold − gift cards redeemed", "What is owed more is positive.", "0.00"),
        Metric("unpaid", "Orders not paid yet", "The value of orders that nobody has paid yet; it is no revenue.",
               "total of pending and authorised orders", "Positive.", "0.00"),
    )),
    Group("Payouts of payment processors", (
        Metric("expected_payout", "Expected from orders", "What orders say was paid and given back through the processor in the days of a payout.",
               "payments − refunds through the processor, at the rate of their day", POSITIVE, "113.05 of order 1001, fees not yet taken off"),
        Metric("on_the_way", "On the way", "What moved the processor’s balance and is in no payout that reached the bank, fees taken off.",
               "rows in no payout, or in one under way: amount − fee", "What comes to the bank is positive.", "113.05 − 3.58 = 109.47"),
        Metric("reserves", "Held in reserve", "What the processor keeps back for a while and gives free later; it is the store’s, and no cost.",
               "held back − given free", "Held is positive.", "0.00"),
        Metric("financing", "Loans and advances", "What a processor lent and took back out of sales; never income, never a cost, but for its fee.",
               "received − paid back", "What is still owed is positive.", "0.00"),
        Metric("actual_fees", "Known payment fees", "Which part of the payment fees processors told; a rule or a default supplied the rest.",
               "|told| ÷ (|told| + |estimated|)", SHARE, "0.00 ÷ 3.58 = 0.0 %, until the processor tells the fee of order 1001"),
    )),
    Group("Counts", (
        Metric("orders", "Orders", "Paid orders, each once, on the day it was placed; no tests, nothing worth zero. A refund does not uncount one.",
               "count of orders", COUNT, "1"),
        Metric("units", "Units sold", "Units sold by orders and edits; returned units are not taken off.", "sum of quantities sold", COUNT, "2"),
        Metric("returned_units", "Units returned", "Units that customers gave back.", "sum of quantities returned", COUNT, "0"),
        Metric("new_customers", "New customers", "Customers whose first paid order this was; guests without identity are none.",
               "count of first orders", COUNT, "0"),
    )),
    Group("Ratios, always reckoned from sums", (
        Metric("margin", "Net margin", "Net profit as a share of what the store chose: of total sales (tax included), or of net revenue.",
               "net profit ÷ total sales, or ÷ net revenue", SHARE, "46.42 ÷ 113.05 = 41.1 % of total sales; 46.42 ÷ 95.00 = 48.9 % of net revenue"),
        Metric("share_of_net_revenue", "% of net revenue", "A line of the statement as a share of net revenue.", "line ÷ net revenue", SHARE,
               "COGS: −40.00 ÷ 95.00 = −42.1 %"),
        Metric("mer", "MER", "Marketing efficiency: how much net revenue there is for each unit of money spent on marketing.",
               "net revenue ÷ marketing", MULTIPLE, "With 19.00 spent on marketing: 95.00 ÷ 19.00 = 5.00"),
        Metric("break_even_mer", "Break-even MER", "The MER at which marketing eats all of CM2; below it, CM3 is a loss.", "net revenue ÷ CM2",
               "A multiple; without CM2 above zero there is no break-even.", "95.00 ÷ 46.42 = 2.05"),
        Metric("estimated_share", "Estimated share", "How much of the money that moved was supplied by a rule or a default, revenue and cost alike.",
               "Σ |estimated| ÷ Σ (|estimated| + |actual|), over the accounts of profit", SHARE, "48.58 ÷ 163.58 = 29.7 %"),
    )),
    Group("How figures are counted and marked", (
        Metric("event_basis", "The day it happened", "Each sale, refund and cost counts on its own day in the store's time zone.",
               "a correction to a closed day counts on the first open day", "The usual basis."),
        Metric("order_basis", "The day the order was placed", "Everything about an order counts on the day it was placed, whenever it is learnt.",
               "costs of no order count on their own day", "Past days change as refunds come in."),
        Metric("estimated", "Estimated", "A rule or a default supplied the amount; the actual one is not known yet.",
               "replaced by the actual amount as soon as that is known", "Marked wherever it stands."),
        Metric("entry", "Entry", "One signed amount on one account, on one day, from one source. Entries are added and never changed.",
               "a correction is a reversal and a new entry", "Income is positive, a cost negative."),
        Metric("batch", "Batch", "Entries that were written together, with the time and the reason.", "numbered one after the other", ""),
    )),
)  # fmt: skip
"""Every term, top to bottom as the page lists them."""

METRICS: dict[str, Metric] = {metric.key: metric for group in DICTIONARY for metric in group.metrics}
