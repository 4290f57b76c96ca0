import random
from tests.test_kill_sweep import *
from tests.test_kill_sweep import sweep
def test_long(sweep, store_kind):
    rec = sweep.record()
    places=[(each,d) for each in rec if each.step.swept for _,d in each.deaths()]
    print(store_kind, "places", len(places))
    r=random.Random("k "+store_kind)
    new=[p for p in places if p[0].step.at.month!=1 or p[0].step.name.endswith("T")]
    bad=0
    for p in r.sample(new, 60):
        try: sweep.die(*p, random.Random(f"{p[0].step.name} {p[1]}"))
        except AssertionError as e: bad+=1; print("FAIL", str(e.args)[:1500], flush=True)
    assert not bad
