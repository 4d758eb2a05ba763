"""Serves one MP4 file with H.264 over RTSP on a loopback port, which it prints first. Usage: rtsp_server.py FILE [PORT]; without a port a free one.

Debian: gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
if any(Gst.ElementFactory.find(name) is None for name in ("qtdemux", "rtph264pay", "rtpbin", "udpsink")):
    sys.exit("a GStreamer element is missing")

server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[2] if len(sys.argv) > 2 else "0")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f'( filesrc location="{sys.argv[1]}" ! qtdemux ! rtph264pay name=pay0 pt=96 config-interval=1 )')
server.get_mount_points().add_factory("/live", factory)
if server.attach(None) == 0:
    sys.exit("the server could not be attached")
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
