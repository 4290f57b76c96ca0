import time
from collections import Counter
from tests.test_kill_sweep import *
from tests.test_kill_sweep import sweep
import tests.kill.sweep as sw
from tests.kill.sweep import one_of_each
T=Counter()
def test_rec(sweep):
    t=time.process_time(); w=time.perf_counter()
    rec=sweep.record()
    print("recorded", time.perf_counter()-w, time.process_time()-t)
    last=[r for r in rec if r.step.name=="compare the lists"][0]
    import cProfile,pstats,io
    orig=sw._check
    def prof(*a,**k):
        work=orig(*a,**k)
        def w2(tell):
            p=cProfile.Profile(); t=time.process_time()
            r=p.runcall(work,tell)
            print("check cpu", time.process_time()-t)
            pstats.Stats(p).sort_stats("cumtime").print_stats(45)
            import sys; sys.stdout.flush()
            return r
        return w2
    for kind, d in last.deaths()[:1]:
        import os
        a=os.times(); w=time.perf_counter(); sweep.die(last,d); b=os.times()
        print("die wall", time.perf_counter()-w, "self", b.user-a.user, b.system-a.system, "children", b.children_user-a.children_user, b.children_system-a.children_system)
        sw._check=prof
        sweep.die(last,d)
        sw._check=orig
