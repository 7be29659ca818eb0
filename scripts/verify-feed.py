#!/usr/bin/env python3
"""A second verifier of captured feeds, by the contract alone: sequence, data, envelope, chain, checkpoints, key changes, anchors.

Usage: scripts/verify-feed.py CAPTURE.ndjson     one message a line: {"topic", "payload"} or {"topic", "base64"} (not zstd), from a feed's beginning
Exits with 7 when something is missing or altered. The first key it meets is trusted: compare its kid with the one you were given.

Needs Python and, for signatures, openssl. Numbers of the feed are integers, or decimals that Python and JavaScript write alike.
"""
import base64, hashlib, json, subprocess, sys, tempfile


def sha256(value):  # of a text, or of canonical JSON (RFC 8785) as far as the contract goes: its keys are ASCII
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def signed(kid, text, sig):  # by a key we trust
    with tempfile.TemporaryDirectory() as d:
        for name, content in ("key", base64.b64decode(keys.get(kid, ""))), ("text", text.encode()), ("sig", base64.b64decode(sig)):
            open(f"{d}/{name}", "wb").write(content)
        ask = f"openssl pkeyutl -verify -pubin -keyform DER -inkey {d}/key -rawin -in {d}/text -sigfile {d}/sig".split()
        return subprocess.run(ask, capture_output=True).returncode == 0


streams, proofs, keys, anchors, faults = {}, [], {}, {}, []
for m in map(json.loads, open(sys.argv[1], encoding="utf-8")):
    kind, raw = m["topic"].split("/")[4:6], m.get("payload") or base64.b64decode(m.get("base64", ""))
    e = json.loads(raw) if raw and kind in (["up", "a"], ["up", "t"], ["up", "hello"], ["up", "proof"]) else {}
    held = streams.setdefault(e["wnstream"], {}).setdefault(int(e["sequence"]), e) if "wnstream" in e else e
    if held != e and {"erased": True} not in (held["data"], e["data"]):
        faults.append(f"{e['wnstream']} {e['sequence']}: sent again with other content")
    proofs, keys = proofs + [e][: "sig" in e], keys or ({e["kid"]: e["key"]} if kind == ["up", "hello"] else {})
    for c in e.get("keys", []) + ([e["data"]] if e.get("type") == "weinao.feed.key.v1" else []):
        if "sig" in c and signed(c["old"], f"wn1-key\n{c['old']}\n{c['kid']}\n{c['key']}", c["sig"]):
            keys[c["kid"]] = c["key"]
# What followed the head that a new epoch names is told again there.
retold = {f"{s.rsplit('.', 1)[0]}.{m[1]['data'].get('old')}": m[1]["data"].get("seq") for s, m in streams.items() if 1 in m}
for name, members in streams.items():
    faults += [f"{name} {n}: missing" for n in range(1, retold.get(name, max(members)) + 1) if n not in members]
    for n, e in members.items():
        before = members.get(n - 1, {"wnhash": e["wnprev"] if n > 1 else "0" * 64})["wnhash"]
        data, bare = e["data"], {k: v for k, v in e.items() if k not in ("data", "wnhash")}
        good = {"chain": e["wnprev"] == before, "envelope": sha256(bare) == e["wnhash"], "data": sha256(data) == e["wndata"]}
        faults += [f"{name} {n}: {what}" for what in good if not good[what] and (what != "data" or data != {"erased": True})]
        if e["type"] == "weinao.feed.anchor.v1" and "heads" in data:
            anchors.setdefault((e["id"], data["hash"]), set()).update(data["heads"])
            proofs += [dict(zip(("stream", "seq", "hash"), head.split())) for head in data["heads"]]
for p in proofs:  # checkpoints, and the heads of anchors, which the chain itself vouches for
    held, text = streams.get(p["stream"], {}).get(int(p["seq"]), {}), f"wn1\n{p['stream']}\n{int(p['seq']):016}\n{p['hash']}"
    if held.get("wnhash") != p["hash"] or ("sig" in p and not signed(p["kid"], text, p["sig"])):
        faults.append(f"{p['stream']} {p['seq']}: proved, but not this member, not here, or signed by nobody we trust")
whole = [i for (i, hash), heads in anchors.items() if sha256("\n".join(sorted(heads))) == hash]
print(f"members {sum(map(len, streams.values()))}  anchors {len(anchors)}, whole {len(whole)}  faults {len(faults)}", *faults, sep="\n  ")
sys.exit(7 if faults else 0)
