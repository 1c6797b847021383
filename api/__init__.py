"""The HTTP side: a Flask application that asks the advisor."""
