"""Links: sessions and uplinks on the serving side, channels and downlinks on the watching side.  Sans-io."""
