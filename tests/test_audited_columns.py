"""Each column of each row of an export: a value that somebody has changed is named, or the table below says why not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.audit_rich import live
from tests.audit_world import audited, exported, named
from tests.world import World
from verify.audited import Audit, Pinned

Line = dict[str, Any]

def test_explore(store_copy, keys_folder):
    import time
    t=time.process_time()
    made = live(World(store_copy("sqlite"), keys_folder))
    export = exported(made.store); made.close()
    print("built", time.process_time()-t)
    t=time.process_time()
    whole = audited(export)
    print("audited", time.process_time()-t, whole.rows, whole.findings.problems, whole.findings.unknown, whole.findings.notes)
    lines=[json.loads(each) for each in export.splitlines()]
    from collections import Counter
    print(Counter(l["is"] for l in lines))
    Path("/tmp/export.jsonl").write_bytes(export)
