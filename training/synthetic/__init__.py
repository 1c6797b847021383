"""A company that never was, whose truth is known.

It sells twenty categories of goods, from milk to running shoes, for two years up to a fixed end. Customers arrive all
the time, buy with very different frequency, have favourite categories, and buy what is used up again on a rhythm of
its own; seasons, holidays and discounts move what they buy. Items come and go and change their price. Orders are
delivered, in strained weeks late; items break; tickets are opened about it, answered quickly or not, and surveys are
answered in the mood that all of this leaves behind. Customers leave by a logistic hazard of eight causes - late
deliveries, unresolved tickets, low satisfaction, price increases, defective items, lost discounts, a competitor in
the region, a weak habit - each with its lag; 30 % of the variance of its logit has no cause. Every five weeks a wave
of one of six offers is drawn, four by chance with a known probability, two by past spend without one. For each offer
15 % of the customers are persuadable, 5 % are put off by it, 30 % buy anyway and the rest does not care, and orders
follow treatment accordingly. The folder ``truth`` tells who left when and why, the hazards every four weeks, and the
uplift of every offer for every customer. Nothing but tests and benchmarks may read it.
"""

from training.synthetic.company import synthesize
from training.synthetic.plan import DEFAULT_UNTIL, Plan

__all__ = ["DEFAULT_UNTIL", "Plan", "synthesize"]
