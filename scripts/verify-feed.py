#!/usr/bin/env python3
"""A second verifier of a captured feed, in another language and by the contract alone: sequence, hashes of data and envelope, chain.

Usage: scripts/verify-feed.py CAPTURE.ndjson     one message a line: {"topic", "payload"} or {"topic", "base64"} (not zstd)
Exits with 7 when something is missing or altered. It leaves the signatures to `weinao feed verify`.

Needs nothing but Python: the feed's numbers are integers, or decimals that Python and JavaScript write alike (the contract forbids exponents).
"""
import base64
import hashlib
import json
import sys


def canonical(value):
    """RFC 8785 for what the contract allows; keys sort by UTF-16 code units."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + canonical(value[k]) for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def main(path):
    heads, members, faults = {}, 0, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if not message["topic"].endswith(("/up/a", "/up/t")):
                continue
            payload = message.get("payload")
            event = json.loads(payload if payload is not None else base64.b64decode(message["base64"]))
            stream, seq = event["wnstream"], int(event["sequence"])
            last, previous = heads.get(stream, (0, "0" * 64))
            if seq <= last:
                continue
            members += 1
            data, own = event.pop("data", {}), event.pop("wnhash")
            checks = {
                "data": sha256(canonical(data)) == event["wndata"],
                "envelope": sha256(canonical(event)) == own,
                "gap": seq == last + 1,
                "chain": seq != last + 1 or event["wnprev"] == previous,
            }
            faults += [f"{stream} {seq}: {name}" for name, good in checks.items() if not good]
            heads[stream] = (seq, own)
    print(f"members {members}  faults {len(faults)}")
    for fault in faults:
        print(f"  {fault}")
    return 7 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
