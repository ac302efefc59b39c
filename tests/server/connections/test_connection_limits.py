from __future__ import annotations

from collections.abc import Callable

import pytest

from webapp.config.limits import Limits
from webapp.server.connections.connection_limits import (
    BURST_UNITS,
    DEFAULT_PRICES,
    OVER_BUDGET_TIMEOUT_S,
    UNITS_PER_S,
    Budget,
    Connections,
    Handshakes,
    OverBudgetError,
    Prices,
    network_of,
)

EVENT_UNITS = DEFAULT_PRICES.event


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Camera:
    """A connection that sends frames of 40 kB, each as an event with one binary part."""

    def __init__(self, rate_per_s: float) -> None:
        self.clock = Clock()
        self.budget = Budget(clock=self.clock)
        self._interval_s = 1 / rate_per_s

    def run(self, seconds: float, look_interval_s: float = 0.1) -> float:
        """The longest wait in so many seconds, in which the page also emits an event now and then."""
        longest_s, look_s = 0.0, self.clock.now_s
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s:
            self.budget.charge_message(100, text=True)
            self.budget.charge_message(40_000)
            self.budget.charge(DEFAULT_PRICES.frame)
            if self.clock.now_s >= look_s:
                look_s += look_interval_s
                self.budget.charge_message(2_000, text=True)
                self.budget.charge(EVENT_UNITS)
            longest_s = max(longest_s, self.budget.wait_s())
            self.clock.now_s += self._interval_s
        return longest_s


def test_an_hour_of_thirty_frames_a_second_and_ten_events_is_never_slowed() -> None:
    assert Camera(30).run(3600) == 0.0


def test_a_flood_is_slowed_to_the_rate_and_closed_in_the_end() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    start_s, spent = clock.now_s, 0.0
    with pytest.raises(OverBudgetError):
        while clock.now_s < start_s + 100:
            budget.charge(EVENT_UNITS)
            spent += EVENT_UNITS
            clock.now_s += budget.wait_s()
    took_s = clock.now_s - start_s
    assert OVER_BUDGET_TIMEOUT_S < took_s < OVER_BUDGET_TIMEOUT_S + 1
    assert spent <= BURST_UNITS + UNITS_PER_S * took_s + EVENT_UNITS


def test_who_pauses_after_a_burst_is_not_closed() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    for _ in range(20):
        budget.charge(2 * BURST_UNITS)
        clock.now_s += budget.wait_s() + 0.6 * BURST_UNITS / UNITS_PER_S
        assert budget.wait_s() == 0.0


def test_who_waits_for_each_answer_is_slowed_and_never_closed() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    start_s, events = clock.now_s, 0
    while clock.now_s < start_s + 10 * OVER_BUDGET_TIMEOUT_S:
        budget.charge(EVENT_UNITS)
        clock.now_s += budget.wait_s()
        budget.caught_up()  # nothing more has arrived meanwhile
        events += 1
    assert events == pytest.approx(
        (BURST_UNITS + 10 * OVER_BUDGET_TIMEOUT_S * UNITS_PER_S) / EVENT_UNITS, 0.05
    )


@pytest.mark.parametrize(
    ("setting", "spend", "allowed"),
    [
        ({"messages_per_s": 50}, lambda budget: budget.charge_message(0), 50),
        ({"megabytes_per_s": 2}, lambda budget: budget.charge(100_000 * budget.prices.byte), 20),
        ({"events_per_s": 7}, lambda budget: budget.charge(budget.prices.event), 7),
        (
            {"frames_per_s": 60},
            lambda budget: budget.charge(2 * budget.prices.message + budget.prices.frame),
            60,
        ),
    ],
)
def test_a_setting_says_what_a_connection_may_use_of_one_thing_each_second(
    setting: dict[str, int], spend: Callable[[Budget], object], allowed: int
) -> None:
    clock, seconds = Clock(), 100
    budget = Budget(Prices.of(Limits(**setting)), clock)
    budget.charge(BURST_UNITS)  # what it may use at once
    start_s, used = clock.now_s, 0
    while clock.now_s < start_s + seconds:
        spend(budget)
        clock.now_s += budget.wait_s()
        budget.caught_up()
        used += 1
    assert used == pytest.approx(seconds * allowed, rel=0.02)


def test_an_address_opens_as_many_at_once_as_it_may_have_and_then_some_a_second() -> None:
    clock = Clock()
    handshakes = Handshakes(per_s=10, at_once=40, clock=clock)
    assert sum(handshakes.take("10.0.0.1") for _ in range(100)) == 40
    assert handshakes.take("10.0.0.2")
    clock.now_s += 2.0
    assert sum(handshakes.take("10.0.0.1") for _ in range(100)) == 20
    clock.now_s += 1000.0
    assert sum(handshakes.take("10.0.0.1") for _ in range(100)) == 40


def test_by_default_a_classroom_behind_one_address_opens_all_its_pages_in_the_same_second() -> None:
    people, of_a_page, sockets = 30, 8, 2
    tls, socketio = (of(Limits()) for of in (Handshakes.of_tls, Handshakes.of_sockets))
    assert all(tls.take("192.0.2.1") for _ in range(people * of_a_page))
    assert all(socketio.take("192.0.2.1") for _ in range(people * sockets))


class Open:
    """A connection of an address."""

    def __init__(self, connections: Connections, address: str, idle: bool = True) -> None:
        self.connections, self.address, self.idle = connections, address, idle
        self.evicted = False
        self.refused_by = connections.enter(address, self)

    def evict(self) -> None:
        self.evicted = True
        self.connections.leave(self.address, self)


def test_the_longest_idle_connection_of_a_full_address_makes_way() -> None:
    connections = Connections(limit=10, per_address=3)
    first, second, third = (Open(connections, "10.0.0.1") for _ in range(3))
    connections.rest("10.0.0.1", first)  # it just had a request answered
    assert Open(connections, "10.0.0.1").refused_by is None
    assert [one.evicted for one in (first, second, third)] == [False, True, False]


def test_an_address_with_busy_connections_only_gets_no_more_and_others_do() -> None:
    connections = Connections(limit=10, per_address=3)
    busy = [Open(connections, "10.0.0.1", idle=False) for _ in range(3)]
    assert Open(connections, "10.0.0.1").refused_by == "connections of an address"
    assert Open(connections, "10.0.0.2").refused_by is None
    connections.leave("10.0.0.1", busy[0])
    assert Open(connections, "10.0.0.1").refused_by is None
    assert len(connections) == 4


def test_a_full_server_says_that_it_is_full() -> None:
    connections = Connections(limit=3, per_address=3)
    assert [Open(connections, f"10.0.0.{number}", idle=False).refused_by for number in range(4)] == [
        *3 * [None],
        "connections",
    ]


def test_when_all_places_are_taken_the_address_with_most_connections_gives_one() -> None:
    connections = Connections(limit=5, per_address=4)
    modest = Open(connections, "10.0.0.1")
    greedy = [Open(connections, "10.0.0.2") for _ in range(4)]
    assert Open(connections, "10.0.0.3").refused_by is None
    assert [one.evicted for one in (modest, *greedy)] == [False, True, False, False, False]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_a_host_with_many_ipv6_addresses_counts_once(address: str, network: str) -> None:
    assert network_of(address) == network
