"""Reads metrics from standard input as a scraper in Python would: with the strict parser of prometheus_client and nothing of ours."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

try:
    families = list(text_string_to_metric_families(sys.stdin.read()))
    print(json.dumps({family.name: {"type": family.type, "samples": len(family.samples)} for family in families}))
except ValueError as error:
    print(json.dumps({"refused": str(error)}))
