class JavaDate {}
const newDate = () => fail("later");
const parseDate = () => -1;
const utc = () => 0;
