"""Who may make jobs, and who may see them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.host_browser import PASSWORD, Browser, signed_in
from tests.helpers.job_client import JobClient, kept_files
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

ELSEWHERE = {"X_Forwarded_For": "198.51.100.7"}
FILES = ("", "/input", "/results.csv", "/results.json", "/results.parquet", "/report.html", "/annotated.jpg")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    settings = {"MIEN_WORKERS": "1", "MIEN_HOST_TOKEN": TOKEN, "MIEN_PROXIES": "1"}
    limits = {
        "MIEN_MAX_JOBS_PER_OWNER": "3",
        "MIEN_MAX_UPLOAD_MB": "1",
        "MIEN_MAX_JOBS": "8",
    }
    with Server(**settings, **limits) as running:
        yield running


@pytest.fixture
def owner(server: Server, astronaut_jpeg: bytes) -> Iterator[JobClient]:
    """A browser on this machine with one job."""
    client = JobClient(server)
    client.make("face.jpg", astronaut_jpeg)
    yield client
    for job in client.all():
        client.delete(job["id"])


def test_nobody_else_sees_a_job_or_its_files(server: Server, owner: JobClient) -> None:
    (job,) = owner.all()
    others = [JobClient(server), JobClient(server, Authorization=f"Bearer {TOKEN}")]
    for other in others:
        assert other.all() == []
        for path in FILES:
            answer = other.get(f"/{job['id']}{path}")
            assert (answer.status_code, answer.json()["problem"]["code"]) == (404, "no_such_job")
        assert other.delete(job["id"]).status_code == 404
    assert owner.finished(job["id"])["state"] == "done"


def test_a_cookie_of_another_kind_opens_nothing(server: Server, owner: JobClient) -> None:
    forger = JobClient(server)
    forger.session.cookies.set("session", "eyJqb2JzX293bmVyIjoieCJ9.aaaaaa.forged")
    assert forger.all() == []


def test_the_cookie_of_a_browser_is_kept_from_scripts(server: Server, astronaut_jpeg: bytes) -> None:
    client = JobClient(server)
    answer = client.send("face.jpg", astronaut_jpeg)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    client.delete(answer.json()["id"])


def test_the_token_of_hosts_makes_jobs_from_anywhere(server: Server, astronaut_jpeg: bytes) -> None:
    client = JobClient(server, Authorization=f"Bearer {TOKEN}", **ELSEWHERE)
    job_id = client.make("face.jpg", astronaut_jpeg)
    assert [job["id"] for job in client.all()] == [job_id]
    client.delete(job_id)


def test_from_elsewhere_a_program_needs_a_key_and_our_own_page_does_not(
    server: Server, astronaut_jpeg: bytes
) -> None:
    program, wrong = JobClient(server, **ELSEWHERE), JobClient(server, Authorization="Bearer mien_wrong")
    for client in (program, wrong):
        answer = client.send("face.jpg", astronaut_jpeg)
        assert (answer.status_code, answer.json()["problem"]["code"]) == (401, "unauthorized")
    assert wrong.get().status_code == 401
    page = JobClient(server, Sec_Fetch_Site="same-origin", **ELSEWHERE)
    page.delete(page.make("face.jpg", astronaut_jpeg))
    wait_until(lambda: "input" not in kept_files(server))  # deleted right after the answer


@pytest.mark.parametrize("said", [{"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_the_page_of_another_site_makes_and_removes_no_job(
    server: Server, owner: JobClient, astronaut_jpeg: bytes, said: dict[str, str]
) -> None:
    headers = {name.replace("_", "-"): value for name, value in said.items()}
    assert JobClient(server, **said).send("face.jpg", astronaut_jpeg).status_code == 403
    (job,) = owner.all()
    assert owner.delete(job["id"], **headers).status_code == 403
    assert owner.job(job["id"])


def test_the_login_of_a_proxy_in_front_is_no_key(server: Server, astronaut_jpeg: bytes) -> None:
    client = JobClient(server)
    client.session.auth = ("somebody", "password")
    job_id = client.make("face.jpg", astronaut_jpeg)
    assert [job["id"] for job in client.all()] == [job_id]
    client.delete(job_id)


def test_who_signs_in_keeps_the_jobs_of_the_browser(server: Server, owner: JobClient) -> None:
    (job,) = owner.all()
    host = signed_in(server)
    browser = Browser(server)
    browser.cookies.update(owner.session.cookies)
    browser.open("/host")
    assert browser.open("/host/login", name="Ada", password=PASSWORD).status_code == 302
    signed_in_there = JobClient(server)
    signed_in_there.session.cookies.update(browser.cookies)
    assert [one["id"] for one in signed_in_there.all()] == [job["id"]]
    assert host.get(f"{server.url}/api/v1/jobs", timeout=60).json()["jobs"] == []


def test_on_a_host_with_an_internationalized_name_our_own_page_is_known(
    astronaut_jpeg: bytes,
) -> None:
    name = "xn--mnchen-3ya.example"
    page = {"Host": name, "Origin": f"http://{name}", "X-Forwarded-For": "198.51.100.7"}
    settings = {"MIEN_WORKERS": "1", "MIEN_PROXIES": "1", "MIEN_KNOWN_HOSTS": name}
    with Server(**settings) as server:
        client = JobClient(server, **page)
        client.make("face.jpg", astronaut_jpeg)
        client.session.headers["Origin"] = "http://other.example"
        assert client.send("face.jpg", astronaut_jpeg).status_code == 401


def test_a_host_who_signed_in_needs_the_token_of_the_page(server: Server, astronaut_jpeg: bytes) -> None:
    browser = signed_in(server)
    browser.open("/host")
    client = JobClient(server)
    client.session.cookies.update(browser.cookies)
    assert client.send("face.jpg", astronaut_jpeg).status_code == 403
    client.session.headers["X-CSRFToken"] = browser.token
    job_id = client.make("face.jpg", astronaut_jpeg)
    assert client.delete(job_id).status_code == 200


def test_one_owner_has_so_many_jobs_at_most(server: Server, owner: JobClient, astronaut_jpeg: bytes) -> None:
    while len(owner.all()) < 3:
        owner.make("face.jpg", astronaut_jpeg)
    for client in (owner, JobClient(server)):  # another browser of the same address
        answer = client.send("face.jpg", astronaut_jpeg)
        assert (answer.status_code, answer.json()["problem"]["code"]) == (429, "too_many_jobs")
        assert answer.headers["Retry-After"]


def test_senders_without_an_account_do_not_keep_out_hosts_and_this_machine(
    server: Server, astronaut_jpeg: bytes
) -> None:
    pages = [
        JobClient(server, Sec_Fetch_Site="same-origin", X_Forwarded_For=f"198.51.100.{number}")
        for number in range(3)
    ]
    for page in (*pages[:2], *pages[:2]):
        page.make("face.jpg", astronaut_jpeg)
    answer = pages[2].send("face.jpg", astronaut_jpeg)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (429, "too_many_jobs")
    assert "without an account" in answer.json()["detail"]
    others = [JobClient(server, Authorization=f"Bearer {TOKEN}", **ELSEWHERE), JobClient(server)]
    for client in others:
        client.make("face.jpg", astronaut_jpeg)
    for client in (*pages, *others):
        for job in client.all():
            client.delete(job["id"])


def test_a_file_over_the_limit_is_refused(server: Server, owner: JobClient) -> None:
    answer = owner.send("clip.mp4", bytes(2_000_000))
    assert (answer.status_code, answer.json()["problem"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("fields", [{}, {"image": ("a.jpg", b"x")}])
def test_without_a_file_of_that_name_there_is_no_job(
    server: Server, fields: dict[str, tuple[str, bytes]]
) -> None:
    client = JobClient(server)
    answer = client.session.post(f"{server.url}/api/v1/jobs", files=fields or None, data={"every": "1"})
    assert answer.status_code == 400 and "field `file`" in answer.json()["detail"]


def test_two_files_at_once_are_refused(server: Server) -> None:
    files = [("file", ("a.jpg", b"x")), ("file", ("b.jpg", b"y"))]
    answer = JobClient(server).session.post(f"{server.url}/api/v1/jobs", files=files)
    assert answer.status_code == 400 and "ZIP" in answer.json()["detail"]
