"""Which faults are armed right now; asked by the servers and by the generator."""

from __future__ import annotations

import threading

from simulator.faults import PLATFORM_FAULTS, SOURCE_FAULTS, TRANSFER_FAULTS, Fault, FaultKind


class FaultBoard:
    """Armed faults. Safe to use from several threads."""

    def __init__(self, armed: list[Fault] | None = None) -> None:
        self._lock = threading.Lock()
        self._armed = list(armed or [])

    def armed(self) -> list[Fault]:
        """Everything armed, oldest first."""
        with self._lock:
            return [fault.model_copy() for fault in self._armed]

    def arm(self, fault: Fault) -> None:
        """Arm a fault; arming one of a whole source twice is once."""
        with self._lock:
            if fault.kind in SOURCE_FAULTS:
                self._armed = [f for f in self._armed if (f.kind, f.source) != (fault.kind, fault.source)]
            self._armed.append(fault)

    def clear(self, source: str | None = None) -> None:
        """Disarm everything, or everything of one source."""
        with self._lock:
            self._armed = [fault for fault in self._armed if source is not None and fault.source != source]

    def down(self, source: str) -> Fault | None:
        """The fault that keeps ``source`` down, if any."""
        with self._lock:
            return next((f for f in self._armed if f.kind is FaultKind.DOWN and f.source == source), None)

    def is_down(self, source: str) -> bool:
        return self.down(source) is not None

    def refuses_feedback(self, source: str) -> bool:
        """Whether ``source`` takes no feedback."""
        with self._lock:
            return any(f.kind is FaultKind.REFUSE_FEEDBACK and f.source == source for f in self._armed)

    def strikes(self, kind: FaultKind, target: str, only_if: bool = True) -> bool:
        """Whether a transfer fault hits ``target`` (a feed or a source) now; each strike uses one of its ``times``.

        Args:
            only_if: the moment is one the fault can hit at all; otherwise it stays armed.
        """
        if not only_if:
            return False
        source = target.split(".", 1)[0]
        with self._lock:
            for fault in self._armed:
                if fault.kind is kind and (
                    fault.feed == target or (fault.feed is None and fault.source == source)
                ):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                    return True
        return False

    def take_delivery_fault(self, feed: str) -> Fault | None:
        """The fault for the delivery of ``feed`` being generated; it is disarmed."""
        with self._lock:
            for fault in self._armed:
                if fault.feed == feed and fault.kind not in SOURCE_FAULTS | TRANSFER_FAULTS | PLATFORM_FAULTS:
                    self._armed.remove(fault)
                    return fault
        return None
