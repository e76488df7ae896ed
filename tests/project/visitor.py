"""A person with a browser, as far as signing in and reading a page needs one."""

import http.cookiejar
import urllib.parse
import urllib.request


class Visitor:
    """A session at one site. An error page is an urllib.error.HTTPError."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def read(self, path: str, data: bytes | None = None, **headers: str) -> str:
        """The text of what is answered, redirects followed."""
        request = urllib.request.Request(self._address + path, data=data, headers=headers)  # noqa: S310 - our own
        with self._opener.open(request, timeout=120) as response:
            text: str = response.read().decode()
            return text

    def sign_in(self, user: str, password: str) -> bool:
        """Through the admin's login page; whether it let the user in."""
        self.read("/admin/login/")
        token = next(cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken")
        fields = {"username": user, "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        return "Log out" in self.read("/admin/login/", urllib.parse.urlencode(fields).encode())
