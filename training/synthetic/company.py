"""The recipe: draw what all customers share, then simulate and write one block after the other."""

from __future__ import annotations

from pathlib import Path

from training.progress import Steps, silent
from training.synthetic import browsing_rows, order_rows, referral_rows, relation_rows, truth_rows
from training.synthetic.catalogue import CATEGORIES, make_catalogue
from training.synthetic.environment import make_environment, offers_table
from training.synthetic.order_rows import Rendering
from training.synthetic.parquet import CompanyWriter
from training.synthetic.plan import Plan
from training.synthetic.simulation import Simulation


def synthesize(plan: Plan, folder: Path, steps: Steps = silent) -> dict[str, int]:
    """Write the company into a folder; returns the number of rows of each table.

    Memory depends on the size of a block, not on the number of customers.
    """
    catalogue = make_catalogue(plan)
    environment = make_environment(plan, len(CATEGORIES))
    writer = CompanyWriter(folder, plan.until)
    writer.write("items", 0, catalogue.table(plan))
    writer.write("offers", 0, offers_table(plan, [path for path, *_ in CATEGORIES]))
    try:
        for block in steps("simulate blocks of customers", plan.blocks(), plan.block_count):
            journeys = Simulation(plan, catalogue, environment, block).run()
            _write_block(writer, Rendering(plan, catalogue, journeys))
    finally:
        writer.close()
    return writer.counts


def _write_block(writer: CompanyWriter, rendering: Rendering) -> None:
    block = rendering.journeys.block
    impressions, recommended = browsing_rows.impressions(rendering)
    writer.write("customers", block.number, rendering.journeys.population.table(rendering.plan, block))
    writer.write("order_lines", block.number, order_rows.order_lines(rendering, recommended))
    writer.write("impressions", block.number, impressions)
    for name, rows in (
        ("returns", order_rows.returns),
        ("redemptions", order_rows.redemptions),
        ("interactions", browsing_rows.interactions),
        ("tickets", relation_rows.tickets),
        ("survey_responses", relation_rows.survey_responses),
        ("contacts", relation_rows.contacts),
        ("assignments", relation_rows.assignments),
        ("subscriptions", relation_rows.subscriptions),
        ("referrals", referral_rows.referrals),
    ):
        writer.write(name, block.number, rows(rendering))
    writer.write_truth("customers", truth_rows.true_customers(rendering))
    writer.write_truth("hazards", truth_rows.true_hazards(rendering))
    writer.write_truth("uplifts", truth_rows.true_uplifts(rendering))
