"""The library: tables, features, models, and the advisor that answers with them."""
