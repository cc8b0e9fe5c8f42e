from scripts.write_configuration import TARGET, configuration_page


def test_the_page_of_the_configuration_is_current():
    assert TARGET.read_text(encoding="utf-8") == configuration_page(), "run `make docs`"
