"""The answer page, by keyboard only and without JavaScript."""

from mainstay.surveys.v1 import invitation_service_pb2 as invitations
from mainstay.surveys.v1 import invitation_service_pb2_grpc as invitations_grpc
from mainstay.surveys.v1 import response_service_pb2 as responses
from mainstay.surveys.v1 import response_service_pb2_grpc as responses_grpc
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SECONDS_MAX = 60


def press(browser, *keys):
    """Presses keys, wherever the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def focused(browser):
    """The element that has the focus."""
    return browser.switch_to.active_element


def wait_for_title(browser, title):
    WebDriverWait(browser, WAIT_SECONDS_MAX).until(lambda it: it.title == title, f"no page {title}: {browser.title}")


def answers(suite):
    service = responses_grpc.ResponseServiceStub(suite.surveys)
    return service.ListResponses(responses.ListResponsesRequest(), timeout=WAIT_SECONDS_MAX).responses


def test_javascript_is_off(browser):
    browser.get("data:text/html,<title>off</title><script>document.title='on'</script>")
    assert browser.title == "off"


def test_a_customer_answers_by_keyboard(suite, browser):
    mail = suite.mails[0]
    browser.get(f"{mail.answer_url}?score=3")
    assert browser.title == "How likely are you to recommend us to a friend or colleague?"
    assert browser.find_element(By.ID, "score-3").is_selected()
    assert list(answers(suite)) == [], "looking is not answering"

    press(browser, Keys.TAB)
    assert focused(browser).get_attribute("id") == "score-3", "the chosen score comes first"
    label = browser.find_element(By.CSS_SELECTOR, "label[for=score-3]")
    assert label.value_of_css_property("outline-style") == "solid", "one sees where the focus is"
    press(browser, Keys.ARROW_LEFT)
    assert browser.find_element(By.ID, "score-2").is_selected()
    press(browser, Keys.TAB)
    assert focused(browser).get_attribute("id") == "comment"
    press(browser, "It is slow & <b>nobody</b> calls.")
    press(browser, Keys.TAB)
    assert focused(browser).tag_name == "button"
    assert focused(browser).value_of_css_property("outline-style") == "solid"
    press(browser, Keys.ENTER)
    wait_for_title(browser, "Your answer was received")

    (answer,) = answers(suite)
    assert (answer.score, answer.comment) == (2, "It is slow & <b>nobody</b> calls.")
    assert answer.category == responses.RESPONSE_CATEGORY_DETRACTOR

    browser.refresh()
    browser.get(f"{mail.answer_url}?score=10")
    wait_for_title(browser, "Your answer was received")
    assert len(answers(suite)) == 1


def test_every_field_has_its_label_and_the_group_its_question(suite, browser):
    browser.get(suite.mails[1].answer_url)
    legend = browser.find_element(By.CSS_SELECTOR, "fieldset > legend").text
    assert legend == "How likely are you to recommend us to a friend or colleague?"
    for field in browser.find_elements(By.CSS_SELECTOR, "input, textarea"):
        identifier = field.get_attribute("id")
        assert field.accessible_name, identifier
        assert browser.find_elements(By.CSS_SELECTOR, f"label[for={identifier}]"), identifier
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


def test_a_form_without_a_score_is_not_sent(suite, browser):
    browser.get(suite.mails[1].answer_url)
    browser.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert "/a/" in browser.current_url
    assert browser.title == "How likely are you to recommend us to a friend or colleague?"


def test_a_customer_unsubscribes_by_keyboard(suite, browser):
    browser.get(suite.mails[1].unsubscribe_url)
    assert browser.title == "Do you not want to be asked again?"
    press(browser, Keys.TAB)
    assert focused(browser).text == "Send me no more surveys"
    press(browser, Keys.ENTER)
    wait_for_title(browser, "That is noted")
    service = invitations_grpc.InvitationServiceStub(suite.surveys)
    states = [
        service.GetRecipient(invitations.GetRecipientRequest(email=f"{person}@acme.example"), timeout=WAIT_SECONDS_MAX)
        for person in ("ada", "bob")
    ]
    assert sum(state.HasField("opt_out_time") for state in states) == 1


def test_a_broken_link_is_explained(suite, browser):
    browser.get(suite.mails[0].answer_url[:-1])
    assert browser.title == "We do not know this link"
