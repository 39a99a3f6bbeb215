"""What the tests share: running services, a customer who was asked, a browser without JavaScript."""

import re
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import grpc
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import server
import stubs

_generated = tempfile.TemporaryDirectory(prefix="mainstay-stubs-")
stubs.generate(Path(_generated.name))
sys.path.insert(0, _generated.name)

from mainstay.delivery.v1 import delivery_service_pb2 as delivery
from mainstay.delivery.v1 import delivery_service_pb2_grpc as delivery_grpc
from mainstay.scoring.v1 import account_service_pb2 as scoring
from mainstay.scoring.v1 import account_service_pb2_grpc as scoring_grpc
from mainstay.surveys.v1 import program_service_pb2 as programs
from mainstay.surveys.v1 import program_service_pb2_grpc as programs_grpc

# Longest wait for what must come: generous, for it only passes when something is broken.
WAIT_SECONDS_MAX = 60


class Mail:
    """What a customer got: links to answer and to unsubscribe."""

    def __init__(self, text):
        self.answer_url = re.search(r"http://\S+/a/[\w-]+", text).group()
        self.unsubscribe_url = re.search(r"http://\S+/u/[\w-]+", text).group()


class Suite:
    """Running services, and the mails of a survey that two contacts of a customer were asked."""

    def __init__(self, addresses):
        self.scoring = grpc.insecure_channel(addresses["scoring"])
        self.surveys = grpc.insecure_channel(addresses["surveys"])
        for channel in (self.scoring, self.surveys):
            grpc.channel_ready_future(channel).result(timeout=WAIT_SECONDS_MAX)
        self._create_account()
        self._publish()
        self.mails = self._wait_for_mails(2)

    def _create_account(self):
        account = scoring.Account(display_name="Acme", lifecycle_stage=scoring.LIFECYCLE_STAGE_ACTIVE)
        account.sign_up_time.FromDatetime(datetime(2020, 1, 1, tzinfo=timezone.utc))
        for person in ("ada", "bob"):
            account.contacts.add(id=person, display_name=person.title(), email=f"{person}@acme.example")
        request = scoring.CreateAccountRequest(account_id="acme", account=account)
        scoring_grpc.AccountServiceStub(self.scoring).CreateAccount(request, timeout=WAIT_SECONDS_MAX)

    def _publish(self):
        service = programs_grpc.ProgramServiceStub(self.surveys)
        program = programs.Program(
            display_name="NPS",
            kind=programs.SURVEY_KIND_NPS,
            trigger=programs.Trigger(quarterly=programs.QuarterlyTrigger()),
            contacts_max=2,
            send_hour=0,
        )
        request = programs.CreateProgramRequest(program_id="nps", program=program)
        service.CreateProgram(request, timeout=WAIT_SECONDS_MAX)
        service.PublishProgram(programs.PublishProgramRequest(name="programs/nps"), timeout=WAIT_SECONDS_MAX)

    def _wait_for_mails(self, count):
        service = delivery_grpc.DeliveryServiceStub(self.surveys)
        give_up_at = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < give_up_at:
            listed = service.ListMessages(delivery.ListMessagesRequest(), timeout=WAIT_SECONDS_MAX).messages
            if len(listed) >= count:
                requests = [delivery.GetMessageRequest(name=message.name) for message in listed]
                got = [service.GetMessage(request, timeout=WAIT_SECONDS_MAX) for request in requests]
                return [Mail(message.email.text) for message in got]
            time.sleep(0.2)
        raise AssertionError("the contacts were not asked in time")


@pytest.fixture(scope="session")
def suite():
    """The services, with two mails sent."""
    with server.running_services() as addresses:
        yield Suite(addresses)


@pytest.fixture
def browser():
    """Chromium without JavaScript."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory(prefix="mainstay-browser-", ignore_cleanup_errors=True) as profile:
        for argument in (
            "headless=new",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "disable-dev-shm-usage",
            "window-size=800,900",
            f"user-data-dir={profile}",
        ):
            options.add_argument(f"--{argument}")
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            yield driver
        finally:
            driver.quit()
