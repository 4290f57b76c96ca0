"""What a process gives up before it reads a stranger's document, as far as this machine lets it.

In the child that draws one document: limits of the kernel; no new privileges; and where the filter is known for this
processor (x86-64), every system call but those that reckon, take memory and go on with the connection that is open: no
file can be opened, no socket made, no program run, no memory made a program (seccomp(2), filter mode). In the process
that begins these children: the network, by a namespace without one, and the rights of the administrator.

All by functions of the C library, which Python has no names for before 3.12.
"""

import ctypes
import fcntl
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence

from renderer.limits import CPU_SECONDS, MEMORY
from renderer.wire import FILTER, NETWORK, USER

FIRST_KEPT = 3
"""The descriptor after standard input, output and error."""

_HIGH = 64
_NOBODY = 65_534
"""The user and group that own nothing (Linux, and what user namespaces show for what they do not know)."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_SIGKILL = 9

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF_0000, 0x0005_0001, 0x8000_0000
"""seccomp(2): go on; answer EPERM; end the process."""

_NUMBER, _ARCHITECTURE, _THIRD = 0, 4, 32
"""Where struct seccomp_data has them; of an argument its lower half, on a little-endian machine."""

_PROT_EXEC = 4
_X86_64 = 0xC000_003E
_CALLS = {
    "read": 0,
    "write": 1,
    "close": 3,
    "fstat": 5,
    "lseek": 8,
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "sched_yield": 24,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "exit": 60,
    "gettid": 186,
    "futex": 202,
    "clock_gettime": 228,
    "exit_group": 231,
    "getrandom": 318,
}
_CALLS_BUT_FOR_PROGRAMS = {"mmap": 9, "mprotect": 10}
"""Memory may be taken, and none of it may become a program."""

_libc = ctypes.CDLL(None, use_errno=True)


def apart() -> list[str]:
    """Give up what the process that begins children needs no more; what was, in words.

    It has loaded all that it and its children will ever run.
    """
    given = []
    root = os.geteuid() == 0
    if _libc.unshare(_CLONE_NEWNET if root else _CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        given.append(NETWORK)
    if root:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        given.append(USER)
    # Nobody of the same user reads this memory, or the children's, by ptrace(2).
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return given


def child(kept: Sequence[int], parent: int) -> list[str]:
    """Give up all but a few descriptors, in a child that has only begun; what was given up beside the limits, in words.

    Args:
        kept: the descriptors that stay open, as FIRST_KEPT and those after it.
        parent: with whose end the child ends.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    # First out of the way of one another.
    high = [fcntl.fcntl(each, fcntl.F_DUPFD, _HIGH) for each in (*[nothing] * FIRST_KEPT, *kept)]
    for number, each in enumerate(high):
        os.dup2(each, number)
    os.closerange(len(high), os.sysconf("SC_OPEN_MAX"))
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, len(high)),
    ):
        resource.setrlimit(what, (most, most))
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return [FILTER] if _filtered() else []


def _filtered() -> bool:
    """Let the kernel refuse all but a few system calls from now on; whether it does."""
    if platform.machine() != "x86_64" or sys.byteorder != "little":
        return False
    program = _program()
    held = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    said = Program(len(program) // 8, ctypes.addressof(held))
    return bool(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(said), 0, 0) == 0)


def _program() -> bytes:
    """The filter, as struct sock_filter has its instructions."""
    calls, careful = sorted(_CALLS.values()), sorted(_CALLS_BUT_FOR_PROGRAMS.values())
    found: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    whole = len(calls) + len(careful)
    for place, number in enumerate([*calls, *careful], 1):
        left = whole - place
        # Behind the last of these: refuse; load the third argument, and look at it; allow; refuse.
        found.append((_EQUAL, left + (3 if place <= len(calls) else 1), 0, number))
    found += [
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _THIRD),
        (_ANY_BIT, 1, 0, _PROT_EXEC),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("<HBBI", *each) for each in found)


def words(given: Sequence[str]) -> bytes:
    """Return what was given up, for whoever asks."""
    return ",".join(given).encode()
