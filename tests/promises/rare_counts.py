"""Count rare events of two models of ten inputs among 10^10 inputs, for want of an exact truth.

    .venv/bin/python tests/promises/rare_counts.py  # to 10^10 inputs: half an hour on an idle core
    .venv/bin/python tests/promises/rare_counts.py -n 100_000_000_000 --workers 8

The models are ARC's example and the bundled one of ARC's challenge. Both are counted on the same
inputs. The counts are in ``algzoo/scoring/data/rare/counts.json``, which is written after every
2^27 inputs. A further run continues from there, with the next seed, and an interrupted one loses
the inputs of one seed. Not collected by pytest.
"""

import argparse
import json
from pathlib import Path

from algzoo.estimates.rare import (
    ModelEvent,
    count_events,
    event_of,
    names_largest,
    names_smallest,
)
from algzoo.zoo import DistRNN, example_2nd_argmax, zoo_2nd_argmax
from algzoo.zoo.streams import model_digest

COUNTS = Path(__file__).resolve().parents[2] / "algzoo/scoring/data/rare/counts.json"
PER_SEED = 2**27


def events_of(model: DistRNN) -> list[ModelEvent]:
    """The events that are counted, with probabilities from about 1e-3 down."""
    return [
        *(names_smallest(model, margin) for margin in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0)),
        *(names_largest(model, gap) for gap in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)),
        *(event_of(model, margin) for margin in (10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0)),
    ]


def main() -> None:
    """Continue the counts up to a number of inputs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-n", type=int, default=10**10, help="number of inputs, rounded upwards")
    parser.add_argument("--workers", type=int, default=1, help="number of threads")
    arguments = parser.parse_args()
    events = {
        "example_2nd_argmax": events_of(example_2nd_argmax()),
        "zoo_2nd_argmax(16, 10)": events_of(zoo_2nd_argmax(16, 10)),
    }
    record = {
        "n_samples": 0,
        "seeds": 0,
        "models": {
            name: {
                "digest": model_digest(of_model[0].model),
                "events": [
                    {"kind": event.kind, "threshold": event.threshold, "count": 0}
                    for event in of_model
                ],
            }
            for name, of_model in events.items()
        },
    }
    if COUNTS.exists():
        record = json.loads(COUNTS.read_text("utf-8"))
        if [model["digest"] for model in record["models"].values()] != [
            model_digest(of_model[0].model) for of_model in events.values()
        ]:
            raise SystemExit(f"{COUNTS} is about other models; remove it to start anew")
    rows = [row for model in record["models"].values() for row in model["events"]]
    asked = [event for of_model in events.values() for event in of_model]
    if [(e.kind, e.threshold) for e in asked] != [(r["kind"], r["threshold"]) for r in rows]:
        raise SystemExit(f"{COUNTS} is about other events; remove it to start anew")
    while record["n_samples"] < arguments.n:
        counts = count_events(asked, PER_SEED, record["seeds"], workers=arguments.workers)
        for row, count in zip(rows, counts, strict=True):
            row["count"] += count
        record["seeds"] += 1
        record["n_samples"] += PER_SEED
        COUNTS.parent.mkdir(parents=True, exist_ok=True)
        whole = COUNTS.with_suffix(".new")
        whole.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        whole.replace(COUNTS)
        print(f"{record['n_samples']} inputs")


if __name__ == "__main__":
    main()
