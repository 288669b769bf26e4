"""An API as in FastAPI's tutorial, with tokens of another issuer: OAuth2PasswordBearer reads the
token, PyJWT verifies it with the keys of the issuer's jwks_uri. Configured by the environment:
ISSUER, AUDIENCE, ALGORITHM."""

from os import environ
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

issuer = environ["ISSUER"]
keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")
oauth2_scheme = OAuth2PasswordBearer(tokenUrl=f"{issuer}/token")
app = FastAPI()


def get_claims(token: Annotated[str, Depends(oauth2_scheme)]) -> dict:
    try:
        return jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=[environ["ALGORITHM"]],
            issuer=issuer,
            audience=environ["AUDIENCE"],
            options={"require": ["exp", "iss", "sub", "aud"]},
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401, type(error).__name__, {"WWW-Authenticate": "Bearer"})


@app.get("/items")
def read_items(claims: Annotated[dict, Depends(get_claims)]) -> dict:
    return {"owner": claims["sub"], "scope": claims["scope"]}
