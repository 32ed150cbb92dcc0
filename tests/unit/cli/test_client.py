"""The HTTP client: signed requests, one repetition for reads only, refusals and silence told apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.client.api import ApiClient
from local.client.errors import RefusedError, UnreachableError
from local.client.target import Where, find_target
from local.errors import LocalError
from local.stage.announcement import read_announcement, withdraw
from tests.unit.cli.conftest import Answer, Request, Server, tell

Scripted = Callable[[Callable[[Request], Answer | None]], Server]


def client(home: Path, *, run_key: str | None = None) -> ApiClient:
    return ApiClient(find_target(Where(stage="local", folder=home)), run_key=run_key)


def in_turn(*answers: Answer | None) -> Callable[[Request], Answer | None]:
    left = list(answers)
    return lambda _: left.pop(0)


def test_a_request_carries_a_signature_that_fits(home: Path, scripted: Scripted) -> None:
    server = scripted(lambda _: Answer(200, {"ok": True}))
    assert client(home).get("bots", "a b/c", limit=5, live=True) == {"ok": True}
    (request,) = server.requests
    assert request.path == "/bots/a%20b%2Fc"
    assert request.query == {"limit": "5", "live": "true"}
    assert request.headers["host"] == server.url.removeprefix("http://")
    signed = AWSRequest(
        method="GET",
        url=f"{server.url}{request.path}?limit=5&live=true",
        headers={"X-Amz-Date": request.headers["x-amz-date"]},
    )
    signed.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1")
    wanted = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    assert request.headers["authorization"].endswith(f"Signature={wanted}")


@pytest.mark.parametrize("first", [None, Answer(503, {"detail": "busy"}), Answer(429), Answer(502)])
def test_a_read_is_repeated_once(home: Path, scripted: Scripted, first: Answer | None) -> None:
    server = scripted(in_turn(first, Answer(200, {"ok": True})))
    assert client(home).get("bots") == {"ok": True}
    assert len(server.requests) == 2


def test_a_read_is_not_repeated_twice(home: Path, scripted: Scripted) -> None:
    server = scripted(lambda _: Answer(503, {"detail": "the service is busy, try again"}))
    with pytest.raises(UnreachableError, match="with 503: the service is busy"):
        client(home).get("bots")
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [None, Answer(503, {"detail": "busy"})])
def test_a_change_is_never_repeated_and_names_its_key(home: Path, scripted: Scripted, answer: Answer | None) -> None:
    server = scripted(lambda _: answer)
    with pytest.raises(UnreachableError, match="repeat the command with --key run-1"):
        client(home, run_key="run-1").post("bots", "x", "pause")
    assert len(server.requests) == 1


def test_the_same_change_of_a_repeated_run_has_the_same_key(home: Path, scripted: Scripted) -> None:
    server = scripted(lambda _: Answer(200))

    def keys(run_key: str | None) -> list[str]:
        server.requests.clear()
        api = client(home, run_key=run_key)
        api.post("bots", "x", "pause")
        api.post("bots", "y", "pause")
        api.post("budgets", "x", "fund", body={"amount": "1"})
        api.post("budgets", "x", "fund", body={"amount": "2"})
        api.delete("bots", "x")
        return [request.headers["idempotency-key"] for request in server.requests]

    first, second = keys("run-1"), keys("run-1")
    assert first == second
    assert len(set(first)) == 5
    assert not set(first) & set(keys("run-2"))
    assert keys(None) != keys(None)


def test_reads_carry_no_key(home: Path, scripted: Scripted) -> None:
    server = scripted(lambda _: Answer(200))
    client(home).get("bots")
    assert "idempotency-key" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (422, {"detail": "must be above 0, was -1", "field": "amount"}, "amount: must be above 0, was -1"),
        (409, {"detail": "amount must be free", "field": "amount"}, "amount must be free"),
        (404, {"message": "Not Found"}, "Not Found"),
        (403, {"message": "Forbidden"}, "use a role that has execute-api:Invoke"),
        (400, "what?", "what?"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_field(
    home: Path, scripted: Scripted, status: int, body: object, told: str
) -> None:
    scripted(lambda _: Answer(status, body))
    with pytest.raises(RefusedError) as refused:
        client(home).get("bots")
    assert told in str(refused.value)
    assert refused.value.status == status


def test_pages_are_read_until_there_is_enough(home: Path, scripted: Scripted) -> None:
    def answer(request: Request) -> Answer:
        start, limit = int(request.query.get("next", "0")), int(request.query["limit"])
        items = [{"n": number} for number in range(start, min(start + limit, 250))]
        following = start + len(items)
        return Answer(200, {"items": items, **({"next": str(following)} if following < 250 else {})})

    server = scripted(answer)
    page = client(home).pages("orders", limit=150, bot_id="x")
    assert [item["n"] for item in page["items"]] == list(range(150))
    assert page["next"] == "150"
    assert [request.query["limit"] for request in server.requests] == ["100", "50"]
    assert {request.query["bot_id"] for request in server.requests} == {"x"}
    assert len(list(client(home).each("orders"))) == 250


def test_nobody_listens(home: Path) -> None:
    tell(home, "http://api.localhost:1")
    with pytest.raises(UnreachableError, match="API of stage local did not answer"):
        client(home).get("bots")


def test_no_local_stage_runs(home: Path) -> None:
    with pytest.raises(UnreachableError, match="start one with `surefill up`"):
        client(home)
    tell(home, "http://api.localhost:1")
    assert read_announcement(home) is not None
    withdraw(home)
    with pytest.raises(UnreachableError):
        client(home)
    (home / "stage.json").write_text('{"half": ')
    with pytest.raises(UnreachableError):
        client(home)


@pytest.mark.parametrize("name", ["Prod", "p", "a-b", "x" * 13])
def test_a_stage_that_can_not_be(home: Path, name: str) -> None:
    with pytest.raises(LocalError, match="--stage must be 2 to 12 lower-case"):
        find_target(Where(stage=name, folder=home))


def described(outputs: str) -> Answer:
    """A stack as CloudFormation describes it."""
    stack = f"<StackName>x</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs>"
    result = f"<DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult>"
    return Answer(200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>")


class TestStageOnAws:
    """Where the address of a deployed stage comes from."""

    @pytest.fixture(autouse=True)
    def aws(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        (home / "config").write_text("[profile bare]\nregion = eu-west-1\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        self.where = Where(stage="prod", folder=home, region="eu-central-1")

    @pytest.fixture
    def stacks(self, scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer | None], Server]:
        """A CloudFormation that answers so."""

        def start(answer: Answer | None) -> Server:
            server = scripted(lambda _: answer)
            monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", server.url.replace("api.localhost", "127.0.0.1"))
            return server

        return start

    def test_the_address_is_an_output_of_the_stack(self, stacks: Callable[[Answer | None], Server]) -> None:
        server = stacks(
            described("<member><OutputKey>ApiUrl</OutputKey><OutputValue>https://a.b</OutputValue></member>")
        )
        found = find_target(self.where)
        assert (found.url, found.stage, found.region, found.connect_to) == ("https://a.b", "prod", "eu-central-1", None)
        assert found.credentials.access_key == "testing"
        assert "StackName=Surefill-prod-Control" in server.requests[0].body

    def test_a_stack_without_the_address(self, stacks: Callable[[Answer | None], Server]) -> None:
        stacks(described(""))
        with pytest.raises(LocalError, match="has no output ApiUrl"):
            find_target(self.where)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("Stack with id Surefill-prod-Control does not exist", "there is no stack Surefill-prod-Control in eu-"),
            ("User is not authorized to perform that", "can't be read from stack Surefill-prod-Control in eu-"),
        ],
    )
    def test_a_stack_that_is_refused(self, stacks: Callable[[Answer | None], Server], text: str, told: str) -> None:
        error = f"<Error><Type>Sender</Type><Code>ValidationError</Code><Message>{text}</Message></Error>"
        stacks(Answer(400, f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"))
        with pytest.raises(LocalError, match=told):
            find_target(self.where)

    def test_cloudformation_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:1")
        with pytest.raises(UnreachableError, match="CloudFormation in eu-central-1 did not answer"):
            find_target(self.where)

    def test_what_a_person_must_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(LocalError, match="--profile 'nobody' is not in your AWS configuration"):
            find_target(replace(self.where, profile="nobody"))
        with pytest.raises(LocalError, match="no AWS region is set: add --region"):
            find_target(replace(self.where, region=None))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(LocalError, match="needs AWS credentials and none were found"):
            find_target(self.where)
