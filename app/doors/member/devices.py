"""What a browser calls itself, in a few words for the list of devices."""

from flask import request

BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


def device_name() -> str:
    """Return browser and system, `Chrome on Android`; empty when it does not say."""
    agent = request.headers.get("User-Agent", "")[:400]
    browser = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return f"{browser}, {system}" if browser and system else browser or system


def platform() -> str:
    """Return whose wallet this browser's phone has: apple, google or other."""
    agent = request.headers.get("User-Agent", "")[:400]
    if any(mark in agent for mark in ("iPhone", "iPad", "iPod")):
        return "apple"
    return "google" if "Android" in agent else "other"
