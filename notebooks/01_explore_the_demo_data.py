# %% [markdown]
# # What the demo's data look like
#
# Complete Journey: one year of all purchases of some 2,500 households at a grocery chain. Each question below is one
# that a model has to answer well: how much is bought again, how long the tail is, who is still there. To run it:
# `make test`, then open this file as a notebook in Jupyter with jupytext.

# %%
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from recommender.interaction_matrix import InteractionMatrix
from recommender.metrics import interval, ndcg
from recommender.models import create
from recommender.outcomes import active_population, churned
from recommender.periods import instant
from recommender.ranking import score_blocks
from recommender.splits import Split
from recommender.tables import as_of
from recommender.top_items import top_items
from recommender.touchpoints import TABLES
from training.importers import importer_named, run_import

# %%
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
report = run_import(importer_named("completejourney"), None, folder, now=datetime.now(UTC))
order_lines = pd.read_parquet(folder / "order_lines.parquet")
items = pd.read_parquet(folder / "items.parquet")
pd.Series(report.rows, name="rows")

# %% [markdown]
# ## Order lines over time
#
# The year runs evenly, without a season that the last weeks would not share. Models are judged on those last weeks and
# never on a random part: the future is not there when a model answers.

# %%
per_week = order_lines.set_index("ordered_at")["order_id"].resample("7D").agg(["size", "nunique"])
per_week[:-1].set_axis(["order lines", "orders"], axis=1).plot(subplots=True, xlabel="week from", ylim=(0, None))
plt.show()

# %% [markdown]
# ## How much is bought again
#
# The share of an order's items that the household had bought before: the reason why personal frequency is hard to beat,
# and why lists of new items are judged apart.

# %%
bought = order_lines.drop_duplicates(["order_id", "item_id"]).sort_values("ordered_at", kind="stable")
is_repeat = bought.duplicated(["customer_id", "item_id"]).set_axis(bought["ordered_at"])
repeat_share = is_repeat.resample("28D").mean()
repeat_share[:-1].plot(ylim=(0, 1), xlabel="four weeks from", ylabel="share of items bought before")
plt.show()

# %% [markdown]
# ## The tail of items
#
# A few items are in every basket, most in hardly any.

# %%
buyer_counts = order_lines.groupby("item_id")["customer_id"].nunique().sort_values(ascending=False)
plt.loglog(range(1, len(buyer_counts) + 1), buyer_counts)
plt.xlabel("rank of the item")
plt.ylabel("households that bought it")
plt.show()
pd.Series(
    {
        "items in the catalogue": len(items),
        "items bought": len(buyer_counts),
        "bought by one household only": int((buyer_counts == 1).sum()),
        "share of pairs with the 1,000 best known items": buyer_counts[:1000].sum() / buyer_counts.sum(),
    }
)

# %% [markdown]
# ## How active households are

# %%
orders = order_lines.drop_duplicates("order_id")
orders.groupby("customer_id").size().plot.hist(bins=50, xlabel="orders in the year", ylabel="households")
plt.show()

# %%
gap_days = orders.sort_values("ordered_at").groupby("customer_id")["ordered_at"].diff().dt.total_seconds() / 86_400
gap_days.dropna().clip(upper=60).plot.hist(bins=60, xlabel="days between two orders (60 and more as 60)")
plt.show()

# %% [markdown]
# ## Who has stopped
#
# Households with an order in the 56 days before a cutoff, by the days since the last one, and the share of them without
# any order in the 28 days after it.

# %%
split = Split(instant("2017-12-04T04:05:00Z"), horizon_days=28)
history = as_of(TABLES["order_lines"], order_lines, split.cutoff)
active = active_population(history, split.cutoff, activity_days=56)
last_order_at = history.groupby("customer_id")["ordered_at"].max().reindex(active)
days_since_last_order = (split.cutoff - last_order_at).dt.total_seconds() / 86_400
has_churned = churned(order_lines, active, split.window)
by_recency = has_churned.groupby(pd.cut(days_since_last_order, range(0, 57, 7)), observed=False).agg(["size", "mean"])
by_recency["mean"].plot.bar(xlabel="days since the last order", ylabel="share without an order in the next 28 days")
plt.show()
by_recency.rename(columns={"size": "households", "mean": "share that stopped"})

# %% [markdown]
# ## Which list is better
#
# Two simple models, fitted before the cutoff and judged on the 28 days after it. `make demo` prints the same comparison
# for all models.

# %%
events = order_lines.rename(columns={"ordered_at": "at"})[["customer_id", "item_id", "at"]].assign(kind="order")
matrix = InteractionMatrix.from_events(events, cutoff=split.cutoff)
bought_later = split.truth(events, matrix).all
gains = {
    name: ndcg(
        np.vstack([top_items(scores, 10)[0] for _, _, scores in score_blocks(create(name).fit(matrix), matrix)]),
        bought_later,
    )
    for name in ("popularity", "personal_frequency")
}
pd.DataFrame({name: vars(interval(gain, seed=0)) for name, gain in gains.items()}).T
