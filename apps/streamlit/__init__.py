"""The portal: Streamlit pages and their components."""
