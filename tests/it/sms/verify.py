"""Verifies signed webhooks by the library of those who wrote the scheme down.

Takes one JSON object as its argument: secret, headers and body. Prints what the body says if the signature is right, and
ends with 1 if it is not.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

order = json.loads(sys.argv[1])
try:
    print(json.dumps(Webhook(order["secret"]).verify(order["body"], order["headers"])))
except WebhookVerificationError as error:
    sys.exit(str(error))
