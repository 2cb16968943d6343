"""The documentation site: Sphinx reads this file. `make docs` builds it."""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

project = "dify-workflow-sdk"
version = release = runpy.run_path(str(ROOT / "src" / "dify_workflow" / "_version.py"))["__version__"]
language = "en"
extensions = ["myst_parser", "sphinx_copybutton", "documentation.extension"]
exclude_patterns = ["_*", "tests"]
nitpicky = True

# Types of the standard library and of httpx have no page here, and those of other sites are not looked up.
nitpick_ignore_regex = [("py:.*", ".*")]
python_use_unqualified_type_names = True
maximum_signature_line_length = 80
smartquotes = False  # `--option` stays as it is

# Markdown: links to headings as GitHub has them, and the few additions that the pages use.
myst_enable_extensions = ["colon_fence", "attrs_inline", "attrs_block", "deflist", "fieldlist"]
myst_heading_anchors = 4

# Nothing is loaded from the network: furo's fonts are those of the system.
html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"{project} {version}"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_domain_indices = False
html_use_index = False
html_last_updated_fmt = None

# A copy button leaves out prompts, and takes the commands of a console block without what they print.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"
copybutton_here_doc_delimiter = "EOF"
