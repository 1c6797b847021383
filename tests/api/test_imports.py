"""What serving loads."""

import json
import subprocess
import sys

REQUESTS = """
import json, os, sys
from api.app import create_app
from api.config import read_settings

app = create_app(read_settings(os.environ))
for path in sys.argv[2:]:
    answer = app.test_client().get(path, headers={"Authorization": f"Bearer {sys.argv[1]}"})
    assert answer.status_code == 200, answer.text
app.extensions["regulars"].close()
print(json.dumps(sorted(sys.modules)))
"""
TRAINERS = {"pandas", "sklearn", "lightfm", "lightgbm"}


def loaded_after(shop, scope, *paths):
    command = [sys.executable, "-c", REQUESTS, shop.keys[scope], *paths]
    done = subprocess.run(command, env=shop.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_answers_from_slates_and_scores_load_no_trainer(sqlite_shop):
    customers = ("c001", "nobody")
    lists = [f"/v1/customers/{customer_id}/recommendations" for customer_id in customers]
    loaded = loaded_after(sqlite_shop, "recs:read", *lists, "/v1/items/popular", "/v1/items/a01/similar")
    assert loaded.isdisjoint(TRAINERS)
    risks = [f"/v1/customers/{customer_id}/churn-risk" for customer_id in customers]
    treatments = ("/v1/treatments", "/v1/treatments/effects")
    loaded = loaded_after(sqlite_shop, "risk:read", *risks, "/v1/customers/c001", "/v1/churn-risks", *treatments)
    assert loaded.isdisjoint(TRAINERS)
