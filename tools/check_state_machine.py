"""Validate the state machine's definition: cfn-lint's schema of the States language, on a template around it.

Usage: python tools/check_state_machine.py statemachine/dataset.asl.json
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def definition(text: str) -> dict[str, object]:
    """The definition as it is after deployment: numbers where the template hands in numbers."""
    text = text.replace("${Partition}", "aws")
    text = re.sub(r'"\$\{\w+Arn\}"', '"arn:aws:lambda:us-east-1:111122223333:function:name"', text)
    return json.loads(re.sub(r"\$\{\w+\}", "1", text))  # type: ignore[no-any-return]


def main(path: str) -> int:
    """Exit code 0 where cfn-lint finds nothing."""
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "StateMachine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": "arn:aws:iam::111122223333:role/dataset",
                    "DefinitionString": json.dumps(definition(Path(path).read_text())),
                },
            }
        },
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        linter = Path(sys.executable).with_name("cfn-lint")
        return subprocess.run([linter, file.name], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
