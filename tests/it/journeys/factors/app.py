"""An authenticator app: reads the URI that it is given and shows the code of a moment."""

import json
import sys
from datetime import datetime, timezone

import pyotp

uri, seconds = sys.argv[1], int(sys.argv[2])
app = pyotp.parse_uri(uri)
print(
    json.dumps(
        {
            "kind": type(app).__name__,
            "issuer": app.issuer,
            "name": app.name,
            "secret": app.secret,
            "digits": app.digits,
            "interval": app.interval,
            "digest": app.digest().name,
            "code": app.at(datetime.fromtimestamp(seconds, timezone.utc)),
        }
    )
)
