"""A forgotten password, by the stubs that grpcio's own tools generate from proto/.

    journey.py relatch-dev/dev.json

Ada asks for a link, takes it from her mail, chooses a new password and signs in with it and with a code. The exit code is 0 if every
step went as the API promises.
"""

import json
import re
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from relatch.v1.audit_pb2 import WatchEventsRequest
from relatch.v1.audit_pb2_grpc import AuditServiceStub
from relatch.v1.common_pb2 import ClientContext
from relatch.v1.password_pb2 import (
    ConfirmResetRequest,
    RequestResetRequest,
    VerifyPasswordRequest,
    VerifySecondFactorRequest,
)
from relatch.v1.password_pb2_grpc import PasswordServiceStub

ADA = "ada@example.com"
CLIENT = ClientContext(ip="192.0.2.1", locale="en")
NEW_PASSWORD = "seven purple otters dance"
STORY = ["authn_token_created", "authn_password_change", "authn_login_success", "authn_login_fail"]


def connect(address: str, token: str) -> grpc.Channel:
    """A channel within this machine that shows the token with every call."""
    return grpc.secure_channel(
        address,
        grpc.composite_channel_credentials(
            grpc.local_channel_credentials(), grpc.access_token_call_credentials(token)
        ),
    )


def mailed(inbox: str, kind: str, pattern: str) -> str:
    """What the pattern finds in Ada's mail of this kind, which comes on its own time."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with urlopen(f"{inbox}/api/messages", timeout=10) as answer:
            messages = json.load(answer)
        for message in messages:
            if message["to"] == ADA and message["kind"] == kind:
                return re.search(pattern, message["text"], re.MULTILINE)[1]
        time.sleep(0.05)
    raise TimeoutError("no mail has come")


def reason(error: grpc.RpcError) -> str:
    """What a program branches on: the reason of the error's ErrorInfo."""
    info = ErrorInfo()
    details = rpc_status.from_call(error).details
    return next(info.reason for detail in details if detail.Unpack(info))


def journey(dev: dict) -> None:
    """Walks from the request to the end of the audit log."""
    ada = next(account for account in dev["accounts"] if account["email"] == ADA)
    with connect(dev["grpc"], dev["token"]) as channel:
        passwords, audit = PasswordServiceStub(channel), AuditServiceStub(channel)
        *_, head = audit.WatchEvents(WatchEventsRequest())

        asked = passwords.RequestReset(RequestResetRequest(email=ADA, client=CLIENT))
        assert asked.link_lifetime.ToTimedelta().total_seconds() == 30 * 60
        token = mailed(dev["inbox"], "RESET_LINK", r"#(rlt1_[\w-]+)")
        confirmed = passwords.ConfirmReset(
            ConfirmResetRequest(token=token, new_password=NEW_PASSWORD, client=CLIENT)
        )
        assert confirmed.account_id == ada["account_id"]

        outcome = passwords.VerifyPassword(
            VerifyPasswordRequest(email=ADA, password=NEW_PASSWORD, client=CLIENT)
        )
        code = mailed(dev["inbox"], "SIGN_IN_CODE", r"^(\d{6})$")
        signed_in = passwords.VerifySecondFactor(
            VerifySecondFactorRequest(
                challenge=outcome.pending.challenge, code=code, client=CLIENT
            )
        )
        assert signed_in.account_id == ada["account_id"]
        assert signed_in.credential_version == confirmed.credential_version
        try:
            passwords.VerifyPassword(
                VerifyPasswordRequest(email=ADA, password=ada["password"], client=CLIENT)
            )
        except grpc.RpcError as refused:
            assert refused.code() == grpc.StatusCode.PERMISSION_DENIED
            assert reason(refused) == "CREDENTIALS_WRONG"
        else:
            raise AssertionError("the old password still works")

        told = audit.WatchEvents(
            WatchEventsRequest(
                after_sequence=head.bookmark.sequence,
                origin=head.bookmark.origin,
                account_id=ada["account_id"],
                event_names=STORY,
            )
        )
        assert [item.event.name for item in told if item.HasField("event")] == STORY


if __name__ == "__main__":
    journey(json.loads(Path(sys.argv[1]).read_text()))
