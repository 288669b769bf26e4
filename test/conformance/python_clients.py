"""Logs in, refreshes and revokes with Python's OAuth clients, as in their documentation, and prints
the outcomes as JSON. Configured by the environment: TOKEN_URL, REVOCATION_URL, USERNAME, PASSWORD,
SCOPE. OAUTHLIB_INSECURE_TRANSPORT and AUTHLIB_INSECURE_TRANSPORT allow http,
OAUTHLIB_RELAX_TOKEN_SCOPE allows a narrower scope than requested."""

import json
from os import environ

import requests
import requests_oauthlib
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import LegacyApplicationClient, OAuth2Error

token_url = environ["TOKEN_URL"]
revocation_url = environ["REVOCATION_URL"]
person = {"username": environ["USERNAME"], "password": environ["PASSWORD"]}
scope = environ["SCOPE"]


def with_requests_oauthlib(**how) -> dict:
    client = LegacyApplicationClient("first-party", scope=scope)
    session = requests_oauthlib.OAuth2Session(client=client)
    try:
        token = dict(session.fetch_token(token_url, **person, **how))
        refreshed = session.refresh_token(token_url, client_id="first-party")
        url, headers, body = client.prepare_token_revocation_request(
            revocation_url, refreshed["refresh_token"]
        )
        revoked = requests.post(url, data=body, headers=headers, timeout=10).status_code
    except OAuth2Error as error:
        return {"error": error.error, "description": error.description}
    try:
        session.refresh_token(token_url, client_id="first-party")
    except OAuth2Error as error:
        return {**token, "refreshed": refreshed["scope"], "revoked": revoked, "then": error.error}
    return token


def with_authlib(method: str) -> dict:
    session = OAuth2Session("first-party", "", token_endpoint_auth_method=method, scope=scope)
    try:
        token = dict(session.fetch_token(token_url, grant_type="password", **person))
        refreshed = dict(session.refresh_token(token_url))
        revoked = session.revoke_token(
            revocation_url, refreshed["refresh_token"], "refresh_token"
        ).status_code
    except OAuthError as error:
        return {"error": error.error, "description": error.description}
    try:
        session.refresh_token(token_url, refreshed["refresh_token"])
    except OAuthError as error:
        return {**token, "refreshed": refreshed["scope"], "revoked": revoked, "then": error.error}
    return token


print(
    json.dumps(
        {
            "requests-oauthlib, client id in the header": with_requests_oauthlib(),
            "requests-oauthlib, client id in the body": with_requests_oauthlib(
                include_client_id=True
            ),
            "authlib, client_secret_basic": with_authlib("client_secret_basic"),
            "authlib, client_secret_post": with_authlib("client_secret_post"),
            "authlib, none": with_authlib("none"),
        }
    )
)
