"""What mail programs lack of HTML and CSS, distilled from caniemail.com, and what of that a letter uses."""
