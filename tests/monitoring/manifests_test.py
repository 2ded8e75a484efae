"""The component renders with the base, and what it selects is there."""

import json
import os
import pathlib
import tempfile
import unittest

import monitoring
from monitoring import harness, run


class ManifestsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import yaml
        program = harness.require_tool("kubectl")
        with tempfile.TemporaryDirectory(prefix="starratings-manifests-") as directory:
            deploy = os.path.relpath(monitoring.SOURCE / "deploy", os.path.realpath(directory))
            (pathlib.Path(directory) / "kustomization.yaml").write_text(yaml.safe_dump(
                {"resources": [f"{deploy}/base"],
                 "components": [f"{deploy}/components/monitoring"]}))
            text = run(program, "kustomize", directory).stdout
        cls.objects = [document for document in yaml.safe_load_all(text) if document]

    def of_kind(self, kind):
        return {o["metadata"]["name"]: o for o in self.objects if o["kind"] == kind}

    def test_each_service_monitor_selects_its_one_service(self):
        monitors, services = self.of_kind("ServiceMonitor"), self.of_kind("Service")
        self.assertEqual(set(monitors), {"assessment-svc", "rating-svc"})
        for name, monitor in monitors.items():
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            selected = {service: o for service, o in services.items()
                        if wanted <= o["metadata"].get("labels", {}).items()}
            self.assertEqual(set(selected), {name})
            # The rules go by `job`, which is this label of the Service.
            labels = selected[name]["metadata"]["labels"]
            self.assertEqual(labels[monitor["spec"]["jobLabel"]], name)
            ports = {port["name"] for port in selected[name]["spec"]["ports"]}
            for endpoint in monitor["spec"]["endpoints"]:
                self.assertIn(endpoint["port"], ports)

    def test_the_rules_come_out_as_they_are(self):
        rendered = [group for o in self.of_kind("PrometheusRule").values()
                    for group in o["spec"]["groups"]]
        by_name = {group["name"]: group for group in monitoring.groups()}
        self.assertEqual({group["name"]: group for group in rendered}, by_name)
        self.assertEqual(len(rendered), len(by_name))

    def test_grafana_finds_the_dashboard(self):
        config = self.of_kind("ConfigMap")["starratings-dashboard"]
        self.assertEqual(config["metadata"]["labels"]["grafana_dashboard"], "1")
        self.assertEqual(json.loads(config["data"]["starratings.json"]),
                         json.loads(monitoring.DASHBOARD.read_text(encoding="utf-8")))


if __name__ == "__main__":
    import harness
    harness.main()
