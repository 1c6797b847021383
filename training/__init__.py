"""The offline side: from files to a promoted bundle, behind the command line."""
