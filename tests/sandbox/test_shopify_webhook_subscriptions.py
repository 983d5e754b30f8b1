"""Subscribe to topics in the sandbox's Shopify, as its schema and its refusals have it."""

from tests.sandbox.conftest import Caller
from tests.sandbox.shopify_documents import document

WANTED = {"uri": "https://shop.example.com/hooks/1", "format": "JSON"}
LIST = "query L($topics: [WebhookSubscriptionTopic!]) { webhookSubscriptions(first: 50, topics: $topics) { nodes { id topic uri includeFields } } }"


def subscribe(caller: Caller, topic: str, **wanted) -> dict:
    return caller.data(document("webhook_create"), topic=topic, wanted={**WANTED, **wanted})["webhookSubscriptionCreate"]


def test_a_subscription_is_made_and_listed(caller: Caller) -> None:
    made = subscribe(caller, "ORDERS_UPDATED", includeFields=["id", "updated_at"])
    assert made == {
        "webhookSubscription": {
            "id": "gid://shopify/WebhookSubscription/1", "topic": "ORDERS_UPDATED", "uri": WANTED["uri"], "format": "JSON",
            "apiVersion": {"handle": "2026-10"},
        },
        "userErrors": [],
    }  # fmt: skip
    subscribe(caller, "REFUNDS_CREATE")
    assert caller.data(LIST, topics=["ORDERS_UPDATED"])["webhookSubscriptions"]["nodes"] == [
        {"id": "gid://shopify/WebhookSubscription/1", "topic": "ORDERS_UPDATED", "uri": WANTED["uri"], "includeFields": ["id", "updated_at"]}
    ]
    assert len(caller.data(LIST)["webhookSubscriptions"]["nodes"]) == 2


def test_the_same_subscription_again_is_refused_and_another_filter_is_not(caller: Caller) -> None:
    subscribe(caller, "ORDERS_UPDATED")
    assert subscribe(caller, "ORDERS_UPDATED") == {
        "webhookSubscription": None,
        "userErrors": [{"field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken"}],
    }
    assert subscribe(caller, "ORDERS_UPDATED", filter="id:1")["userErrors"] == []


CHANGE = "mutation U($id: ID!, $wanted: WebhookSubscriptionInput!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: $wanted) { userErrors { message } } }"  # noqa: E501


def test_an_address_that_cannot_be_called_is_refused(caller: Caller) -> None:
    made = subscribe(caller, "ORDERS_UPDATED")["webhookSubscription"]["id"]
    for uri in ("ftp://shop.example.com", "http://shop.example.com", "http://localhost.example.com", "https://", "http://127.0.0.1:no/"):
        assert subscribe(caller, "ORDERS_CREATE", uri=uri)["userErrors"] == [
            {"field": ["webhookSubscription", "uri"], "message": "Address is invalid"}
        ], uri
        assert caller.data(CHANGE, id=made, wanted={"uri": uri})["webhookSubscriptionUpdate"]["userErrors"] == [{"message": "Address is invalid"}]


def test_a_subscription_cannot_become_another_ones_double(caller: Caller) -> None:
    subscribe(caller, "ORDERS_UPDATED")
    second = subscribe(caller, "ORDERS_UPDATED", uri="https://shop.example.com/hooks/2")["webhookSubscription"]["id"]
    said = caller.data(CHANGE, id=second, wanted={"uri": WANTED["uri"]})["webhookSubscriptionUpdate"]["userErrors"]
    assert said == [{"message": "Address for this topic has already been taken"}]


def test_a_subscription_is_changed_and_deleted(caller: Caller) -> None:
    made = subscribe(caller, "ORDERS_UPDATED")["webhookSubscription"]["id"]
    change = "mutation U($id: ID!, $wanted: WebhookSubscriptionInput!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: $wanted) { webhookSubscription { uri format } userErrors { message } } }"  # noqa: E501
    delete = "mutation D($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }"
    changed = caller.data(change, id=made, wanted={"uri": "https://shop.example.com/hooks/2"})["webhookSubscriptionUpdate"]
    assert changed == {"webhookSubscription": {"uri": "https://shop.example.com/hooks/2", "format": "JSON"}, "userErrors": []}
    assert caller.data(delete, id=made)["webhookSubscriptionDelete"] == {"deletedWebhookSubscriptionId": made, "userErrors": []}
    assert caller.data(delete, id=made)["webhookSubscriptionDelete"] == {
        "deletedWebhookSubscriptionId": None, "userErrors": [{"message": "Webhook subscription does not exist"}],
    }  # fmt: skip
    assert caller.data(LIST)["webhookSubscriptions"]["nodes"] == []


def test_a_topic_that_is_not_there_is_refused(caller: Caller) -> None:
    said = caller.ask(document("webhook_create"), topic="PAYOUTS_CREATE", wanted=WANTED)
    assert said["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert said["errors"][0]["message"] == "Variable $topic of type WebhookSubscriptionTopic! was provided invalid value"
