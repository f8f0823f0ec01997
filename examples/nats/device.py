"""A device that speaks MQTT: it reports where it is, and hears where others are.

python device.py FOLDER        FOLDER is the NATS folder of the plane's data, such as .natant/transit/nats
"""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

folder = Path(sys.argv[1])
port = json.loads((folder / "ports.json").read_text())["mqtt"]
password = json.loads((folder / "secrets.json").read_text())["device"]
heard = threading.Event()


def on_connect(client: mqtt.Client, *_: Any) -> None:
    """Listen, then report."""
    client.subscribe("natant/transit/ev/position/vehicle/+")


def on_subscribe(client: mqtt.Client, *_: Any) -> None:
    """The broker lets us listen."""
    client.publish("natant/transit/in/command/report/vehicle/8", '{"lat":57.7,"lon":11.9,"speed":3}', qos=1)


def on_message(client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
    """Somebody has moved."""
    print(message.topic, message.payload.decode())
    heard.set()


client = mqtt.Client(CallbackAPIVersion.VERSION2, "device-8")
client.username_pw_set("device", password)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port)
client.loop_start()
if not heard.wait(10):
    sys.exit("nothing was heard")
client.disconnect()
client.loop_stop()
