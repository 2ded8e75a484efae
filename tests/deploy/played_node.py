"""Says of pods what a kubelet would, and runs none of them: so that what waits for pods goes on."""

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "played"}}
READY = [{"type": "Ready", "status": "True"}]


class PlayedNode:
    def __init__(self, plane):
        self.plane = plane
        self.addresses = 0
        if plane.read(NODE) is None:
            plane.create(NODE)
            plane.send("PATCH", f"{plane.where(NODE)}/status", {"status": {"conditions": READY}})

    def run(self, pod, phase="Running"):
        """The pod is here, with an address of its own, and is ready; or ends at once."""
        where = self.plane.where(pod)
        self.plane.send("POST", f"{where}/binding", {
            "apiVersion": "v1", "kind": "Binding",
            "metadata": {k: pod["metadata"][k] for k in ("name", "namespace")},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE["metadata"]["name"]}})
        self.addresses += 1
        address = f"10.77.0.{self.addresses}"
        self.plane.send("PATCH", f"{where}/status", {"status": {
            "phase": phase, "podIP": address, "podIPs": [{"ip": address}],
            "conditions": READY if phase == "Running" else []}})

    def end(self, pod):
        """The pod, which was to end, has ended."""
        self.plane.send("DELETE", self.plane.where(pod), gracePeriodSeconds=0)
