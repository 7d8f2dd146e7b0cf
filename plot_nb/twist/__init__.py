"""What a twist's code imports. It runs inside the sandbox, so it uses the standard library only."""

from plot_nb.twist.activities import Activity, ActivityType, Note
from plot_nb.twist.clock import now
from plot_nb.twist.errors import CallbackDeleted, CallbackNotFound, RequestLimitExceeded
from plot_nb.twist.identity import Uuid
from plot_nb.twist.network import Network, Response, fetch
from plot_nb.twist.plot import Plot
from plot_nb.twist.tool import Tool
from plot_nb.twist.twist import Twist
from plot_nb.twist.values import UNDEFINED, Url
from plot_nb.twist.webhook import WebhookRequest

__all__ = [
    "UNDEFINED",
    "Activity",
    "ActivityType",
    "CallbackDeleted",
    "CallbackNotFound",
    "Network",
    "Note",
    "Plot",
    "RequestLimitExceeded",
    "Response",
    "Tool",
    "Twist",
    "Url",
    "Uuid",
    "WebhookRequest",
    "fetch",
    "now",
]
