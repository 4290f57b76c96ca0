import tests.kill.trial_proof as tp; tp._breaches = lambda tx: iter(())
import time, sys
from tests.test_kill_sweep import *
from tests.test_kill_sweep import sweep
from tests.kill.sweep import one_of_each
def test_rec(sweep):
    t=time.perf_counter()
    rec=sweep.record()
    print("recorded", len(rec), time.perf_counter()-t)
    kinds = {kind for each in rec for kind, _ in each.deaths()}
    print("new", *sorted(kinds-NAMES), sep="\n")
    print("gone", *sorted(n for n in NAMES-kinds if not n.startswith("ceremony")), sep="\n")
    Path('/tmp/kinds.txt').write_text("\n".join(sorted(kinds|{n for n in NAMES if n.startswith("ceremony")}))+"\n")
    bad=0
    for each, death in one_of_each(rec):
        t=time.perf_counter()
        try: sweep.die(each, death)
        except AssertionError as e: bad+=1; print("FAIL", str(e)[:1500])
        print(each.step.name, death, round(time.perf_counter()-t,2), flush=True)
    assert not bad
