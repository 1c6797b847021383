"""Every error that this library raises on purpose; each edge maps them to exit codes or HTTP statuses in one table."""


class RecommenderError(Exception):
    """Base of all errors with a message made for the person who reads it."""


class DataError(RecommenderError):
    """The data of one table cannot be used; the message names the table, the value and the cure."""

    def __init__(self, table: str, problem: str) -> None:
        super().__init__(f"{table}: {problem}")
        self.table = table
        self.problem = problem


class NotFitted(RecommenderError):
    """A model was asked before ``fit``."""

    def __init__(self, model: object) -> None:
        super().__init__(f"{type(model).__name__} is not fitted; call fit first")


class NotEnoughData(RecommenderError):
    """There are too few rows to answer; the message says which and how many are needed."""


class UnknownName(RecommenderError):
    """A table, model, importer, placement or setting that does not exist; the message lists those that do."""

    def __init__(self, what: str, name: str, known: object) -> None:
        names = ", ".join(sorted(str(one) for one in known))  # type: ignore[attr-defined]
        super().__init__(f"there is no {what} {name!r}; there are: {names}")
        self.what = what


class UnknownRecommendation(RecommenderError):
    """A list that cannot be continued; the message says why that may be."""

    def __init__(self, recommendation_id: str) -> None:
        super().__init__(
            f"no list {recommendation_id[:64]!r} can be continued: it is older than 30 minutes, was not recorded, or "
            "never was; ask for a new list"
        )


class StoreUnavailable(RecommenderError):
    """The event store cannot be reached or read."""


class ArtifactError(RecommenderError):
    """A bundle is missing, incomplete or altered."""


class SettingError(RecommenderError):
    """A setting has a value that cannot be used."""
